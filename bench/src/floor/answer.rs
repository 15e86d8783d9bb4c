//! The floor's answer: the JSON of a Hrana pipeline or of one message, written straight from the rows.

use std::io::Write as _;

use rusqlite::types::ValueRef;
use rusqlite::{Row, Statement};

use crate::Result;

/// An answer, as far as it is written.
pub(crate) struct Answer {
    json: Vec<u8>,
    has_results: bool,
    has_rows: bool,
}

impl Answer {
    /// The body of a pipeline's answer.
    pub(crate) fn new() -> Self {
        let mut json = Vec::with_capacity(512);
        json.extend_from_slice(b"{\"baton\":null,\"base_url\":null,\"results\":[");
        Answer { json, has_results: false, has_rows: false }
    }

    /// A message of a WebSocket that answers a request.
    pub(crate) fn to(request: i64) -> Self {
        let json = format!("{{\"type\":\"response_ok\",\"request_id\":{request},\"response\":");
        Answer { json: json.into_bytes(), has_results: false, has_rows: false }
    }

    /// The response to the opening of a stream.
    pub(crate) fn opened(&mut self) {
        self.text("{\"type\":\"open_stream\"}");
    }

    /// Begins the result of a statement within a pipeline.
    pub(crate) fn open(&mut self) {
        self.separate_result();
        self.text("{\"type\":\"ok\",\"response\":");
    }

    /// Begins the response to one statement.
    pub(crate) fn begin_execute(&mut self) {
        self.text("{\"type\":\"execute\",\"result\":");
    }

    pub(crate) fn begin_batch(&mut self) {
        self.text("{\"type\":\"batch\",\"result\":{\"step_results\":[");
    }

    pub(crate) fn separate_step(&mut self, index: usize) {
        self.text(if index == 0 { "" } else { "," });
    }

    pub(crate) fn end_batch(&mut self) {
        self.text("],\"step_errors\":[]}}");
    }

    /// Begins the result of a statement, with its columns.
    pub(crate) fn begin(&mut self, statement: &Statement<'_>) -> Result<()> {
        self.text("{\"cols\":[");
        for (index, column) in statement.columns().enumerate() {
            self.text(if index == 0 { "{\"name\":" } else { ",{\"name\":" });
            serde_json::to_writer(&mut self.json, column.name())?;
            self.text(",\"decltype\":");
            serde_json::to_writer(&mut self.json, &column.decl_type())?;
            self.text("}");
        }
        self.text("],\"rows\":[");
        self.has_rows = false;
        Ok(())
    }

    pub(crate) fn row(&mut self, row: &Row<'_>, columns: usize) -> Result<()> {
        self.text(if self.has_rows { ",[" } else { "[" });
        self.has_rows = true;
        for index in 0..columns {
            if index > 0 {
                self.text(",");
            }
            match row.get_ref(index)? {
                ValueRef::Integer(value) => {
                    write!(self.json, "{{\"type\":\"integer\",\"value\":\"{value}\"}}")?;
                }
                ValueRef::Text(bytes) => {
                    self.text("{\"type\":\"text\",\"value\":");
                    serde_json::to_writer(&mut self.json, std::str::from_utf8(bytes)?)?;
                    self.text("}");
                }
                ValueRef::Null => self.text("{\"type\":\"null\"}"),
                ValueRef::Real(_) | ValueRef::Blob(_) => {
                    return Err("the floor knows integers and texts only".into());
                }
            }
        }
        self.text("]");
        Ok(())
    }

    /// Ends the result of a statement.
    pub(crate) fn result(&mut self, affected_row_count: u64, last_insert_rowid: Option<i64>) {
        let rowid = last_insert_rowid.map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""));
        self.text(&format!(
            "],\"affected_row_count\":{affected_row_count},\"last_insert_rowid\":{rowid},\
             \"replication_index\":null}}"
        ));
    }

    /// Ends what was begun around a result.
    pub(crate) fn shut(&mut self) {
        self.text("}");
    }

    /// The whole message.
    pub(crate) fn message(mut self) -> Vec<u8> {
        self.text("}");
        self.json
    }

    pub(crate) fn close(&mut self) {
        self.separate_result();
        self.text("{\"type\":\"ok\",\"response\":{\"type\":\"close\"}}");
    }

    /// The whole body.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.text("]}");
        self.json
    }

    fn separate_result(&mut self) {
        if self.has_results {
            self.text(",");
        }
        self.has_results = true;
    }

    fn text(&mut self, text: &str) {
        self.json.extend_from_slice(text.as_bytes());
    }
}
