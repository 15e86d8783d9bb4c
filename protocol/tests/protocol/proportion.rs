//! Decoding takes memory in proportion to the input, whatever the input is.

use crate::common::{Decoded, codec, from_hex};
use crate::memory::{measured, share};

fn check(kind: &str, item: &str, decode: fn(&[u8]) -> Decoded, input: &[u8]) {
    let (_, taken) = measured(|| decode(input).is_ok());
    let bound = share(kind, input.len());
    assert!(taken <= bound, "{kind} of {item}: {} times its size", taken / input.len());
}

/// One more than fits where a vector has grown, so that half of the new one is empty.
const COUNT: usize = 65_537;

/// The shortest items, valid and not, as often as they fit into some hundred KiB.
#[test]
fn many_short_items_take_no_more_than_their_share() {
    for (kind, first, item) in [
        ("Batch", "", "0a00"),
        ("Batch", "", "0a04 12020a00"),
        ("Batch", "", "0a06 0a00 12020a00"),
        ("Batch", "", "0a08 0a020800 12020a00"),
        ("BatchCond", "", "0a00"),
        ("Stmt", "0a00", "1a00"),
        ("Stmt", "0a00", "1a020a00"),
        ("Stmt", "0a00", "2200"),
        ("Stmt", "0a00", "2204 12020a00"),
        ("PipelineReqBody", "", "1200"),
        ("PipelineReqBody", "", "12020a00"),
        ("PipelineReqBody", "", "1206 1204 0a020a00"),
        ("StmtResult", "", "0a00"),
        ("StmtResult", "", "1200"),
        ("StmtResult", "", "1204 0a020a00"),
        ("DescribeResult", "", "0a00"),
        ("DescribeResult", "", "1200"),
        ("PipelineRespBody", "", "1a00"),
        ("PipelineRespBody", "", "1a04 0a020a00"),
    ] {
        let input = [from_hex(first), from_hex(item).repeat(COUNT)].concat();
        check(kind, item, codec(kind).from_proto.unwrap(), &input);
    }
    for (kind, first, item, last) in [
        ("Batch", r#"{"steps":["#, r#"{"stmt":{"sql":""}}"#, "]}"),
        ("Stmt", r#"{"sql":"","args":["#, r#"{"type":"null"}"#, "]}"),
        ("Stmt", r#"{"sql":"","named_args":["#, r#"{"name":"","value":{"type":"null"}}"#, "]}"),
        ("BatchCond", r#"{"type":"and","conds":["#, r#"{"type":"ok","step":0}"#, "]}"),
        ("PipelineReqBody", r#"{"requests":["#, r#"{"type":"close"}"#, "]}"),
        ("StmtResult", r#"{"cols":["#, "{}", r#"],"rows":[]}"#),
        ("StmtResult", r#"{"cols":[],"rows":["#, "[]", "]}"),
        ("StmtResult", r#"{"cols":[],"rows":["#, r#"[{"type":"null"}]"#, "]}"),
        ("DescribeResult", r#"{"params":["#, "{}", "]}"),
        ("BatchResult", r#"{"step_results":["#, "null", r#"],"step_errors":[]}"#),
        ("BatchResult", r#"{"step_errors":["#, "null", r#"],"step_errors":[]}"#),
    ] {
        let input = format!("{first}{}{item}{last}", format!("{item},").repeat(COUNT));
        check(kind, item, codec(kind).from_json, input.as_bytes());
    }
}
