//! `Error`, `Stmt`, `StmtResult` and their parts.

use prost::encoding::{bool, double, int32, sint64, uint64};

use super::each::{Each, read_fields};
use super::value::{ROWS, Row, Value, read_rows};
use super::{Encode, read_as, write};
use crate::error::{DecodeError, present};
use crate::result_rows::ResultRows;
use crate::stmt::SqlRef;
use crate::version::Encoding;

#[derive(PartialEq, prost::Message)]
pub(super) struct Error {
    #[prost(string, tag = "1")]
    message: String,
    #[prost(string, optional, tag = "2")]
    code: Option<String>,
    #[prost(string, optional, tag = "3")]
    extended_code: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Stmt {
    sql: Option<String>,
    sql_id: Option<i32>,
    args: Each<crate::Value>,
    named_args: Each<crate::NamedArg>,
    want_rows: Option<bool>,
}

read_fields!(Stmt {
    1 => sql: string,
    2 => sql_id: int32,
    3 => args: each of Value,
    4 => named_args: each of NamedArg,
    5 => want_rows: bool,
});

#[derive(prost::Message)]
struct NamedArg {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    value: Option<Value>,
}

#[derive(PartialEq, prost::Message)]
pub(super) struct StmtResult {
    #[prost(message, repeated, tag = "1")]
    cols: Vec<Col>,
    #[prost(message, repeated, tag = "2")]
    rows: Vec<Row>,
    #[prost(uint64, tag = "3")]
    affected_row_count: u64,
    #[prost(sint64, optional, tag = "4")]
    last_insert_rowid: Option<i64>,
    #[prost(uint64, optional, tag = "6")]
    rows_read: Option<u64>,
    #[prost(uint64, optional, tag = "7")]
    rows_written: Option<u64>,
    #[prost(double, optional, tag = "8")]
    query_duration_ms: Option<f64>,
}

#[derive(PartialEq, prost::Message)]
pub(super) struct Col {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    decltype: Option<String>,
}

read_as!(Error => crate::Error, Stmt => crate::Stmt, StmtResult => crate::StmtResult);

impl TryFrom<Error> for crate::Error {
    type Error = DecodeError;

    fn try_from(message: Error) -> Result<Self, DecodeError> {
        let Error { message, code, extended_code } = message;
        Ok(crate::Error { message, code, extended_code })
    }
}

impl TryFrom<Stmt> for crate::Stmt {
    type Error = DecodeError;

    fn try_from(message: Stmt) -> Result<Self, DecodeError> {
        Ok(crate::Stmt {
            sql: SqlRef::new(message.sql, message.sql_id)?,
            args: message.args.into_items()?,
            named_args: message.named_args.into_items()?,
            want_rows: message.want_rows,
        })
    }
}

impl TryFrom<NamedArg> for crate::NamedArg {
    type Error = DecodeError;

    fn try_from(message: NamedArg) -> Result<Self, DecodeError> {
        let value = present(message.value, "NamedArg", "value")?.try_into()?;
        Ok(crate::NamedArg { name: message.name, value })
    }
}

impl TryFrom<StmtResult> for crate::StmtResult {
    type Error = DecodeError;

    fn try_from(message: StmtResult) -> Result<Self, DecodeError> {
        Ok(crate::StmtResult {
            cols: message.cols.into_iter().map(crate::Col::from).collect(),
            rows: read_rows(message.rows)?.into(),
            affected_row_count: message.affected_row_count,
            last_insert_rowid: message.last_insert_rowid,
            rows_read: message.rows_read,
            rows_written: message.rows_written,
            // JSON could not say anything else.
            query_duration_ms: message.query_duration_ms.filter(|duration| duration.is_finite()),
        })
    }
}

impl From<Col> for crate::Col {
    fn from(message: Col) -> Self {
        crate::Col { name: message.name, decltype: message.decltype }
    }
}

impl Encode for crate::Error {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write::nonzero::string(1, &self.message, out);
        write::optional_string(2, self.code.as_deref(), out);
        write::optional_string(3, self.extended_code.as_deref(), out);
    }
}

impl Encode for crate::Stmt {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write_sql(1, &self.sql, out);
        self.args.iter().for_each(|arg| write::message(3, arg, out));
        self.named_args.iter().for_each(|arg| write::message(4, arg, out));
        if let Some(want_rows) = &self.want_rows {
            bool::encode(5, want_rows, out);
        }
    }
}

/// The two fields of a reference to an SQL text: `sql` as the field `tag`, or `sql_id` as the next.
pub(super) fn write_sql(tag: u32, sql: &SqlRef, out: &mut Vec<u8>) {
    match sql {
        SqlRef::Text { sql } => write::string(tag, sql, out),
        SqlRef::Stored { sql_id } => int32::encode(tag + 1, sql_id, out),
    }
}

impl Encode for crate::NamedArg {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write::nonzero::string(1, &self.name, out);
        write::message(2, &self.value, out);
    }
}

impl Encode for crate::StmtResult {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        self.cols.iter().for_each(|col| write::message(1, col, out));
        match &self.rows {
            ResultRows::Values(rows) => {
                rows.iter().for_each(|row| write::message(ROWS, &row, out));
            }
            ResultRows::Encoded(rows) => out.extend_from_slice(rows.bytes(Encoding::Protobuf)),
        }
        write::nonzero::uint64(3, self.affected_row_count, out);
        if let Some(rowid) = &self.last_insert_rowid {
            sint64::encode(4, rowid, out);
        }
        if let Some(count) = &self.rows_read {
            uint64::encode(6, count, out);
        }
        if let Some(count) = &self.rows_written {
            uint64::encode(7, count, out);
        }
        if let Some(duration) = &self.query_duration_ms {
            double::encode(8, duration, out);
        }
    }
}

impl Encode for crate::Col {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write::optional_string(1, self.name.as_deref(), out);
        write::optional_string(2, self.decltype.as_deref(), out);
    }
}
