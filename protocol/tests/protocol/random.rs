//! Random messages, the same on every run.

use hrana_protocol::ws::{ClientMsg, Request, Response, ServerMsg};
use hrana_protocol::*;

/// The generator xorshift64*.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn bool(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Any width of number, so that every length of varint occurs.
    pub(crate) fn u64(&mut self) -> u64 {
        self.next() >> self.below(64)
    }

    pub(crate) fn i64(&mut self) -> i64 {
        let value = self.u64() as i64;
        if self.bool() { value } else { value.wrapping_neg() }
    }

    pub(crate) fn i32(&mut self) -> i32 {
        self.i64() as i32
    }

    pub(crate) fn u32(&mut self) -> u32 {
        self.u64() as u32
    }

    /// Finite, because JSON has nothing else.
    pub(crate) fn f64(&mut self) -> f64 {
        let value = f64::from_bits(self.next());
        if value.is_finite() { value } else { 0.5 }
    }

    pub(crate) fn text(&mut self) -> String {
        let len = if self.below(20) == 0 { 300 } else { self.below(12) };
        let chars = ['a', '"', '\\', '\0', '\n', '\u{7f}', 'é', '水', '🦀', '\u{2028}'];
        (0..len).map(|_| chars[self.below(chars.len())]).collect()
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let len = self.below(140);
        (0..len).map(|_| self.next() as u8).collect()
    }

    pub(crate) fn option<T>(&mut self, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.bool().then(|| some(self))
    }

    pub(crate) fn vec<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let len = self.below(4);
        (0..len).map(|_| item(self)).collect()
    }

    pub(crate) fn value(&mut self) -> Value {
        match self.below(5) {
            0 => Value::Null,
            1 => Value::Integer(self.i64()),
            2 => Value::Float(self.f64()),
            3 => Value::Text(self.text()),
            _ => Value::Blob(self.bytes()),
        }
    }

    pub(crate) fn sql(&mut self) -> SqlRef {
        if self.bool() {
            SqlRef::Text { sql: self.text() }
        } else {
            SqlRef::Stored { sql_id: self.i32() }
        }
    }

    pub(crate) fn stmt(&mut self) -> Stmt {
        Stmt {
            sql: self.sql(),
            args: self.vec(Self::value),
            named_args: self.vec(|r| NamedArg { name: r.text(), value: r.value() }),
            want_rows: self.option(Self::bool),
        }
    }

    pub(crate) fn col(&mut self) -> Col {
        Col { name: self.option(Self::text), decltype: self.option(Self::text) }
    }

    pub(crate) fn rows(&mut self) -> Rows {
        let width = 1 + self.below(3);
        let mut rows = Rows::new(width);
        for _ in 0..width * self.below(4) {
            rows.push(self.value().as_ref());
        }
        rows
    }

    pub(crate) fn stmt_result(&mut self) -> StmtResult {
        StmtResult {
            cols: self.vec(Self::col).into(),
            rows: self.rows().into(),
            affected_row_count: self.u64(),
            last_insert_rowid: self.option(Self::i64),
            rows_read: self.option(Self::u64),
            rows_written: self.option(Self::u64),
            query_duration_ms: self.option(Self::f64),
        }
    }

    pub(crate) fn error(&mut self) -> Error {
        Error {
            message: self.text(),
            code: self.option(Self::text),
            extended_code: self.option(Self::text),
        }
    }

    pub(crate) fn cond(&mut self, depth: usize) -> BatchCond {
        match self.below(if depth == 0 { 3 } else { 6 }) {
            0 => BatchCond::Ok { step: self.u32() },
            1 => BatchCond::Error { step: self.u32() },
            2 => BatchCond::IsAutocommit,
            3 => BatchCond::Not { cond: Box::new(self.cond(depth - 1)) },
            4 => BatchCond::And { conds: self.vec(|r| r.cond(depth - 1)) },
            _ => BatchCond::Or { conds: self.vec(|r| r.cond(depth - 1)) },
        }
    }

    pub(crate) fn batch(&mut self) -> Batch {
        let step = |r: &mut Self| BatchStep { condition: r.option(|r| r.cond(4)), stmt: r.stmt() };
        Batch { steps: self.vec(step) }
    }

    /// Does not end with a skipped step, which Protobuf cannot tell.
    pub(crate) fn batch_result(&mut self) -> BatchResult {
        let mut result = BatchResult::default();
        for last in [false, false, true] {
            let (value, error) = match self.below(if last { 2 } else { 3 }) {
                0 => (Some(self.stmt_result()), None),
                1 => (None, Some(self.error())),
                _ => (None, None),
            };
            result.step_results.push(value);
            result.step_errors.push(error);
        }
        result
    }

    pub(crate) fn describe_result(&mut self) -> DescribeResult {
        DescribeResult {
            params: self.vec(|r| DescribeParam { name: r.option(Self::text) }),
            cols: self.vec(|r| DescribeCol { name: r.text(), decltype: r.option(Self::text) }),
            is_explain: self.bool(),
            is_readonly: self.bool(),
        }
    }

    pub(crate) fn entry(&mut self) -> CursorEntry {
        match self.below(5) {
            0 => CursorEntry::StepBegin { step: self.u32(), cols: self.vec(Self::col).into() },
            1 => CursorEntry::Row { row: self.vec(Self::value) },
            2 => CursorEntry::StepEnd {
                affected_row_count: self.u64(),
                last_insert_rowid: self.option(Self::i64),
            },
            3 => CursorEntry::StepError { step: self.u32(), error: self.error() },
            _ => CursorEntry::Error { error: self.error() },
        }
    }

    /// One of the five that both transports have.
    pub(crate) fn shared_request(&mut self) -> StreamRequest {
        match self.below(5) {
            0 => StreamRequest::Execute { stmt: self.stmt() },
            1 => StreamRequest::Batch { batch: self.batch() },
            2 => StreamRequest::Sequence { sql: self.sql() },
            3 => StreamRequest::Describe { sql: self.sql() },
            _ => StreamRequest::GetAutocommit,
        }
    }

    pub(crate) fn stream_request(&mut self) -> StreamRequest {
        match self.below(6) {
            0 => StreamRequest::Close,
            1 => StreamRequest::StoreSql { sql_id: self.i32(), sql: self.text() },
            2 => StreamRequest::CloseSql { sql_id: self.i32() },
            _ => self.shared_request(),
        }
    }

    pub(crate) fn shared_response(&mut self) -> StreamResponse {
        match self.below(5) {
            0 => StreamResponse::Execute { result: self.stmt_result() },
            1 => StreamResponse::Batch { result: self.batch_result() },
            2 => StreamResponse::Sequence,
            3 => StreamResponse::Describe { result: self.describe_result() },
            _ => StreamResponse::GetAutocommit { is_autocommit: self.bool() },
        }
    }

    pub(crate) fn stream_result(&mut self) -> StreamResult {
        let response = match self.below(7) {
            0 => StreamResponse::Close,
            1 => StreamResponse::StoreSql,
            2 => StreamResponse::CloseSql,
            3 => return StreamResult::Error { error: self.error() },
            _ => self.shared_response(),
        };
        StreamResult::Ok { response }
    }

    pub(crate) fn client_msg(&mut self) -> ClientMsg {
        let (stream_id, cursor_id, sql_id) = (self.i32(), self.i32(), self.i32());
        let request = match self.below(9) {
            0 => Request::OpenStream { stream_id },
            1 => Request::CloseStream { stream_id },
            2 => Request::OpenCursor { stream_id, cursor_id, batch: self.batch() },
            3 => Request::CloseCursor { cursor_id },
            4 => Request::FetchCursor { cursor_id, max_count: self.u32() },
            5 => Request::StoreSql { sql_id, sql: self.text() },
            6 => Request::CloseSql { sql_id },
            7 => return ClientMsg::Hello { jwt: self.option(Self::text) },
            _ => Request::Stream { stream_id, request: self.shared_request() },
        };
        ClientMsg::Request { request_id: self.i32(), request }
    }

    pub(crate) fn server_msg(&mut self) -> ServerMsg {
        let response = match self.below(11) {
            0 => Response::OpenStream,
            1 => Response::CloseStream,
            2 => Response::OpenCursor,
            3 => Response::CloseCursor,
            4 => Response::FetchCursor { entries: self.vec(Self::entry), done: self.bool() },
            5 => Response::StoreSql,
            6 => Response::CloseSql,
            7 => return ServerMsg::HelloOk,
            8 => return ServerMsg::HelloError { error: self.error() },
            9 => {
                let (request_id, error) = (self.i32(), self.error());
                return ServerMsg::ResponseError { request_id, error };
            }
            _ => Response::Stream { response: self.shared_response() },
        };
        ServerMsg::ResponseOk { request_id: self.i32(), response }
    }
}
