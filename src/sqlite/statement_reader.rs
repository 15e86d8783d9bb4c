//! Reads SQL statement by statement from something that is too long to be in memory.
//!
//! Where a statement ends is found in one pass over the bytes: at the semicolon that is in no literal, name or
//! comment, and in a trigger at the one behind its END (as `sqlite.org/c3ref/complete.html` has it). SQLite has the
//! last word: what is cut in the wrong place it refuses.

use std::io::{self, Read};
use std::ops::Range;

use super::execution::skip_blank;
use crate::error::{Error, Result};
use crate::limits;

pub(super) struct StatementReader<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where the text begins that was not given out yet, and how far it was looked at.
    start: usize,
    looked_at: usize,
    is_at_end: bool,
    scanner: Scanner,
    /// Of the text at `start`, from 1.
    line: u64,
}

/// A statement, and the line on which it begins.
pub(super) struct Found<'a> {
    pub(super) sql: &'a str,
    pub(super) line: u64,
}

impl<R: Read> StatementReader<R> {
    pub(super) fn new(source: R) -> Self {
        StatementReader {
            source,
            buffer: Vec::new(),
            start: 0,
            looked_at: 0,
            is_at_end: false,
            scanner: Scanner::default(),
            line: 1,
        }
    }

    /// The next statement, with its semicolon; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Found<'_>>> {
        let Some((range, line)) = self.next_range()? else { return Ok(None) };
        let bytes = &self.buffer[range];
        match str::from_utf8(bytes) {
            Ok(sql) => Ok(Some(Found { sql, line })),
            Err(error) => {
                let line = line + newlines(&bytes[..error.valid_up_to()]);
                Err(at_line(line, "the text is not valid UTF-8"))
            }
        }
    }

    /// Where the next statement is that is not blank, and its line.
    fn next_range(&mut self) -> Result<Option<(Range<usize>, u64)>> {
        while let Some(end) = self.find_end()? {
            let bytes = &self.buffer[self.start..end];
            let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
            let blank = text.len() - skip_blank(text).len();
            let line = self.line + newlines(&bytes[..blank]);
            self.line += newlines(bytes);
            let start = std::mem::replace(&mut self.start, end) + blank;
            if start < end {
                return Ok(Some((start..end, line)));
            }
        }
        Ok(None)
    }

    /// Where the statement ends that begins at `start`.
    fn find_end(&mut self) -> Result<Option<usize>> {
        loop {
            if let Some(length) = self.scanner.scan(&self.buffer[self.looked_at..]) {
                self.looked_at += length;
                return Ok(Some(self.looked_at));
            }
            self.looked_at = self.buffer.len();
            if self.buffer.len() - self.start > limits::DUMP_STATEMENT_BYTES_MAX {
                let mebibytes = limits::DUMP_STATEMENT_BYTES_MAX / limits::MIB;
                let why = format!("the statement has more than {mebibytes} MiB, or no end");
                return Err(at_line(self.first_line(), &why));
            }
            if self.is_at_end {
                return self.end();
            }
            self.read()?;
        }
    }

    /// What is left at the end may lack its semicolon, but not the end of a literal or a trigger.
    fn end(&mut self) -> Result<Option<usize>> {
        if self.start == self.buffer.len() {
            return Ok(None);
        }
        if !self.scanner.may_end() {
            return Err(at_line(
                self.first_line(),
                "the statement has no end; the dump was cut off",
            ));
        }
        Ok(Some(self.buffer.len()))
    }

    /// Reads more, in place of what was given out.
    fn read(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.looked_at -= self.start;
        self.start = 0;
        let filled = self.buffer.len();
        self.buffer.resize(filled + limits::DUMP_READ_BYTES, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let read = read.map_err(|error| {
            Error::bad_request(format!("the dump could not be read to its end: {error}"))
        })?;
        self.buffer.truncate(filled + read);
        self.is_at_end = read == 0;
        Ok(())
    }

    /// The line on which the statement begins that is being looked for.
    fn first_line(&self) -> u64 {
        let bytes = &self.buffer[self.start..];
        let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.line + newlines(&bytes[..blank])
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Says where in the dump something is wrong.
pub(super) fn at_line(line: u64, why: &str) -> Error {
    Error::bad_request(format!("line {line} of the dump: {why}"))
}

/// Looks for the end of a statement, byte by byte.
#[derive(Default)]
struct Scanner {
    within: Within,
    stage: Stage,
    /// The beginning of the word that is being read, in lower case.
    word: [u8; WORD_BYTES],
    word_length: usize,
}

/// As long as the longest word that matters, and one more.
const WORD_BYTES: usize = "temporary".len() + 1;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Code,
    /// Behind the first character of what may be a comment.
    Dash,
    Slash,
    /// In a literal or a name, up to this character. A doubled one ends it and begins it anew.
    Quotes(u8),
    LineComment,
    BlockComment,
    BlockCommentStar,
}

/// How much of a statement there is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Nothing,
    /// `CREATE`, perhaps with `TEMP`.
    Create,
    Some,
    Trigger,
    /// In a trigger, behind a semicolon.
    TriggerStep,
    /// In a trigger, behind `; END`.
    TriggerEnd,
}

impl Scanner {
    /// The length of `bytes` up to the semicolon that ends the statement, with it.
    fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            if self.take(*byte) {
                *self = Scanner::default();
                return Some(index + 1);
            }
        }
        None
    }

    /// Whether a statement may end here, by the end of the text.
    fn may_end(&mut self) -> bool {
        let is_whole = !matches!(
            self.within,
            Within::Quotes(_) | Within::BlockComment | Within::BlockCommentStar
        );
        self.end_word();
        let is_trigger = matches!(self.stage, Stage::Trigger | Stage::TriggerStep);
        is_whole && !is_trigger
    }

    /// Whether this byte ends the statement.
    fn take(&mut self, byte: u8) -> bool {
        self.within = match (self.within, byte) {
            (Within::Quotes(end), _) if byte == end => Within::Code,
            (Within::LineComment, b'\n') => Within::Code,
            (Within::BlockComment | Within::BlockCommentStar, b'*') => Within::BlockCommentStar,
            (Within::BlockCommentStar, b'/') => Within::Code,
            (Within::BlockCommentStar, _) => Within::BlockComment,
            (within @ (Within::Quotes(_) | Within::LineComment | Within::BlockComment), _) => {
                within
            }
            (Within::Dash, b'-') => Within::LineComment,
            (Within::Slash, b'*') => Within::BlockComment,
            (before, _) => return self.take_code(before, byte),
        };
        false
    }

    fn take_code(&mut self, before: Within, byte: u8) -> bool {
        if matches!(before, Within::Dash | Within::Slash) {
            // An operator after all.
            self.stage = self.stage.after(b"");
        }
        if is_word(byte) {
            if let Some(place) = self.word.get_mut(self.word_length) {
                *place = byte.to_ascii_lowercase();
                self.word_length += 1;
            }
            self.within = Within::Code;
            return false;
        }
        self.end_word();
        self.within = match byte {
            b'\'' | b'"' | b'`' => Within::Quotes(byte),
            b'[' => Within::Quotes(b']'),
            b'-' => Within::Dash,
            b'/' => Within::Slash,
            _ => Within::Code,
        };
        match byte {
            b';' => {
                self.stage = match self.stage {
                    Stage::Trigger | Stage::TriggerStep => Stage::TriggerStep,
                    Stage::Nothing | Stage::Create | Stage::Some | Stage::TriggerEnd => {
                        return true;
                    }
                };
            }
            b'-' | b'/' => {}
            _ if byte.is_ascii_whitespace() || byte == b'\x0b' => {}
            _ => self.stage = self.stage.after(b""),
        }
        false
    }

    fn end_word(&mut self) {
        let length = std::mem::take(&mut self.word_length);
        if length > 0 {
            self.stage = self.stage.after(&self.word[..length]);
        }
    }
}

impl Stage {
    /// Behind one more word, or behind something that is none.
    fn after(self, word: &[u8]) -> Self {
        match (self, word) {
            // A byte order mark.
            (Stage::Nothing, b"\xef\xbb\xbf") => Stage::Nothing,
            (Stage::Nothing, b"create") => Stage::Create,
            (Stage::Create, b"temp" | b"temporary") => Stage::Create,
            (Stage::Create, b"trigger") => Stage::Trigger,
            (Stage::TriggerStep, b"end") => Stage::TriggerEnd,
            (Stage::Trigger | Stage::TriggerStep | Stage::TriggerEnd, _) => Stage::Trigger,
            _ => Stage::Some,
        }
    }
}

/// Also the bytes of what is not ASCII, which SQLite takes for letters.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{Scanner, StatementReader};

    /// Gives out a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn read(text: &str, at_once: usize) -> Result<Vec<(u64, String)>, String> {
        let mut reader = StatementReader::new(Slow(text.as_bytes(), at_once));
        let mut all = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(found)) => all.push((found.line, found.sql.to_owned())),
                Ok(None) => return Ok(all),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    #[test]
    fn statements_end_where_they_end() {
        let trigger = "CREATE TRIGGER a AFTER INSERT ON t BEGIN\n SELECT CASE 1 WHEN 1 THEN ';' END;\n\
                       DELETE FROM t;;\n end ;";
        let temporary = "create /*;*/ TEMP trigger a DELETE ON t BEGIN SELECT 1; END;";
        let cases: [(&str, &[(u64, &str)]); 9] = [
            ("", &[]),
            (" ;\n;-- nothing;\n/* ; */", &[]),
            ("SELECT 1;\n\nSELECT 2", &[(1, "SELECT 1;"), (3, "SELECT 2")]),
            (
                "\u{feff}-- ;'\nINSERT INTO t VALUES('a;''b;\n'); x[;]`;`\";\"-/*;*/;",
                &[(2, "INSERT INTO t VALUES('a;''b;\n');"), (3, "x[;]`;`\";\"-/*;*/;")],
            ),
            (trigger, &[(1, trigger)]),
            (temporary, &[(1, temporary)]),
            (
                "CREATE TABLE trigger(a);END;b",
                &[(1, "CREATE TABLE trigger(a);"), (1, "END;"), (1, "b")],
            ),
            (
                "CREATE VIEW temp.trigger_ AS SELECT 1;b",
                &[(1, "CREATE VIEW temp.trigger_ AS SELECT 1;"), (1, "b")],
            ),
            ("a - b / c;d/**/;", &[(1, "a - b / c;"), (1, "d/**/;")]),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(l, s)| (*l, (*s).to_owned())).collect();
            for at_once in [1, 2, 3, 7, 10_000] {
                assert_eq!(read(text, at_once).unwrap(), expected, "{text} by {at_once}");
            }
        }
    }

    #[test]
    fn what_has_no_end_is_told_with_its_line() {
        for (text, line) in [
            ("a;\n\nINSERT INTO t VALUES('x", 3),
            ("a;\nCREATE TRIGGER b BEGIN DELETE FROM t;", 2),
            ("a;\n/* b", 2),
            ("a;\nCREATE TRIGGER b BEGIN\nDELETE FROM t; SELECT CASE WHEN 1 THEN 2 END;", 2),
        ] {
            let error = read(text, 5).unwrap_err();
            assert!(error.starts_with(&format!("line {line} of the dump: ")), "{text}: {error}");
        }
        let mut reader = StatementReader::new(&b"a;\nb\n\xff;"[..]);
        assert!(reader.next().is_ok());
        let error = reader.next().map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "line 3 of the dump: the text is not valid UTF-8");
        let endless = std::io::repeat(b'x');
        let error = StatementReader::new(endless).next().map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("line 1 of the dump: the statement has more than"));
    }

    #[test]
    fn a_word_is_compared_as_a_whole() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.scan(b"CREATE TEMPORARYX TRIGGER; "), Some(26));
        assert_eq!(scanner.scan(b"CREATE TEMPORARY TRIGGER a; "), None);
    }
}
