//! What is written is read back as the same.

use hrana_protocol::cursor::{read_entry, write_entry, write_row};
use hrana_protocol::http::{CursorReqBody, CursorRespBody, PipelineReqBody, PipelineRespBody};
use hrana_protocol::ws::{ClientMsg, Request, Response, ServerMsg};
use hrana_protocol::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::random::Random;

fn survives<T>(message: &T)
where
    T: PartialEq + std::fmt::Debug + Serialize + DeserializeOwned + protobuf::Message,
{
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        let mut bytes = Vec::new();
        encoding.encode(message, &mut bytes);
        let decoded: T = encoding.decode(&bytes).expect("what was encoded can be decoded");
        // Both, because Debug tells -0.0 from 0.0.
        assert_eq!(&decoded, message, "{encoding:?}");
        assert_eq!(format!("{decoded:?}"), format!("{message:?}"), "{encoding:?}");
    }
}

#[test]
fn messages_survive() {
    let random = &mut Random(1);
    for _ in 0..2_000 {
        let (baton, base_url) = (random.option(Random::text), random.option(Random::text));
        survives(&PipelineReqBody {
            baton: baton.clone(),
            requests: random.vec(Random::stream_request),
        });
        survives(&PipelineRespBody {
            baton: baton.clone(),
            base_url: base_url.clone(),
            results: random.vec(Random::stream_result),
        });
        survives(&CursorReqBody { baton: baton.clone(), batch: random.batch() });
        survives(&CursorRespBody { baton, base_url });
        survives(&random.entry());
        survives(&random.client_msg());
        survives(&random.server_msg());
    }
}

#[test]
fn requests_of_the_connection_are_written_as_such() {
    let request_id = 1;
    let (stream_id, sql_id, sql) = (2, 3, "SELECT 1".to_owned());
    let pairs = [
        (StreamRequest::Close, Request::CloseStream { stream_id }),
        (StreamRequest::StoreSql { sql_id, sql: sql.clone() }, Request::StoreSql { sql_id, sql }),
        (StreamRequest::CloseSql { sql_id }, Request::CloseSql { sql_id }),
    ];
    for (request, expected) in pairs {
        let request = Request::Stream { stream_id, request };
        same_bytes(
            &ClientMsg::Request { request_id, request },
            &ClientMsg::Request { request_id, request: expected },
        );
    }
    let pairs = [
        (StreamResponse::Close, Response::CloseStream),
        (StreamResponse::StoreSql, Response::StoreSql),
        (StreamResponse::CloseSql, Response::CloseSql),
    ];
    for (response, expected) in pairs {
        let response = Response::Stream { response };
        same_bytes(
            &ServerMsg::ResponseOk { request_id, response },
            &ServerMsg::ResponseOk { request_id, response: expected },
        );
    }
}

fn same_bytes<T: Serialize + protobuf::Encode>(a: &T, b: &T) {
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        encoding.encode(a, &mut left);
        encoding.encode(b, &mut right);
        assert_eq!(left, right, "{encoding:?}");
    }
}

#[test]
fn rows_that_are_encoded_already_are_written_as_values_are() {
    let random = &mut Random(3);
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        for _ in 0..2_000 {
            let (values, result) = (random.rows(), random.stmt_result());
            let width = values.iter().next().map_or(1, |row| row.values().count());
            let mut rows = ResultRows::new(width, Some(encoding));
            values.iter().flat_map(RowRef::values).for_each(|value| rows.push(value));
            let (mut expected, mut written) = (Vec::new(), Vec::new());
            encoding.encode(&StmtResult { rows: values.into(), ..result.clone() }, &mut expected);
            encoding.encode(&StmtResult { rows, ..result }, &mut written);
            assert_eq!(written, expected, "{encoding:?}");
        }
    }
}

#[test]
fn cursor_bodies_survive_in_pieces() {
    let random = &mut Random(2);
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        for _ in 0..100 {
            let head = CursorRespBody { baton: random.option(Random::text), base_url: None };
            let mut entries = random.vec(Random::entry);
            let mut body = Vec::new();
            write_entry(encoding, &head, &mut body);
            entries.iter().for_each(|entry| write_entry(encoding, entry, &mut body));
            for row in random.rows().iter() {
                write_row(encoding, row, &mut body);
                entries
                    .push(CursorEntry::Row { row: row.values().map(ValueRef::to_owned).collect() });
            }
            // Whatever has arrived of the body, it is a beginning of the entries.
            for end in 0..=body.len() {
                let mut input = &body[..end];
                let found: Option<CursorRespBody> = read_entry(encoding, &mut input).unwrap();
                assert!(found.is_none_or(|found| found == head));
                let mut expected = entries.iter();
                while let Some(entry) = read_entry(encoding, &mut input).unwrap() {
                    assert_eq!(Some(&entry), expected.next());
                }
                assert!(end < body.len() || (expected.next().is_none() && input.is_empty()));
            }
        }
    }
}
