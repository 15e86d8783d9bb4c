//! Nesting is bounded, in place of the stack's end.

use hrana_protocol::{Batch, BatchCond, BatchStep, Encoding, Stmt, json, protobuf};

/// `depth` conditions in each other, written by hand: our own types of that depth would overflow
/// the stack when dropped.
fn nested_json(depth: usize) -> Vec<u8> {
    let open = r#"{"type":"not","cond":"#;
    let text = format!(
        r#"{{"steps":[{{"condition":{}{}{},"stmt":{{"sql":""}}}}]}}"#,
        open.repeat(depth),
        r#"{"type":"is_autocommit"}"#,
        "}".repeat(depth)
    );
    text.into_bytes()
}

fn nested_proto(depth: usize) -> Vec<u8> {
    // From the inside out: `is_autocommit`, `not` around it, then the step with its statement.
    let mut cond = vec![0x32, 0x00];
    for _ in 0..depth {
        cond = field(0x1a, &cond);
    }
    let mut step = field(0x0a, &cond);
    step.extend(field(0x12, &field(0x0a, b"")));
    field(0x0a, &step)
}

fn field(key: u8, content: &[u8]) -> Vec<u8> {
    struct Raw<'a>(&'a [u8]);
    impl protobuf::Encode for Raw<'_> {
        fn encode_fields(&self, out: &mut Vec<u8>) {
            out.extend_from_slice(self.0);
        }
    }
    let mut out = vec![key];
    protobuf::encode_delimited(&Raw(content), &mut out);
    out
}

fn nested(depth: usize) -> Batch {
    let mut cond = BatchCond::IsAutocommit;
    for _ in 0..depth {
        cond = BatchCond::Not { cond: Box::new(cond) };
    }
    Batch { steps: vec![BatchStep { condition: Some(cond), stmt: Stmt::new("") }] }
}

#[test]
fn moderate_nesting_is_read() {
    assert_eq!(Encoding::Json.decode(&nested_json(60)), Ok(nested(60)));
    assert_eq!(Encoding::Protobuf.decode(&nested_proto(60)), Ok(nested(60)));
}

#[test]
fn deep_nesting_is_refused() {
    for depth in [200, 10_000] {
        let error = json::decode::<Batch>(&nested_json(depth)).unwrap_err().to_string();
        assert!(error.starts_with("recursion limit exceeded at line 1 column"), "{error}");
        let error = protobuf::decode::<Batch>(&nested_proto(depth)).unwrap_err().to_string();
        assert!(error.ends_with("recursion limit reached"), "{error}");
    }
}

#[test]
fn deep_nesting_in_unknown_fields_does_no_harm() {
    // JSON skips it without recursion, Protobuf refuses it (it is a group in a group in a group).
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let text = format!(r#"{{"unknown":{deep},"steps":[]}}"#);
    assert_eq!(json::decode(text.as_bytes()), Ok(Batch { steps: vec![] }));
    let error = protobuf::decode::<Batch>(&[0x7b; 10_000]).unwrap_err().to_string();
    assert!(error.ends_with("recursion limit reached"), "{error}");
}
