//! Which pragmas a client may use, with which argument (pragmas of `sqlite.org/pragma.html`).
//!
//! A pragma that is not in the table is refused: some of them write files, weaken the checks of SQLite or
//! change what the server relies on. What changes only the client's own connection taints it.

/// What a pragma does, as far as it is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Tells something; takes no argument.
    Ask,
    /// Tells something, of an object or up to a number.
    AskOf,
    /// Without an argument tells, with one changes the database file.
    Write(Shape),
    /// Without an argument tells, with one changes the connection.
    Connection(Shape),
    /// Works on the database file.
    Maintain,
}

/// The form of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Boolean,
    Integer,
    /// Exactly this word: what the server has set anyway.
    Word(&'static str),
}

impl Shape {
    pub(super) fn fits(self, argument: &str) -> bool {
        match self {
            Shape::Boolean => {
                const WORDS: [&str; 8] = ["0", "1", "on", "off", "true", "false", "yes", "no"];
                WORDS.iter().any(|word| argument.eq_ignore_ascii_case(word))
            }
            Shape::Integer => argument.parse::<i32>().is_ok(),
            Shape::Word(word) => argument.eq_ignore_ascii_case(word),
        }
    }

    pub(super) fn describe(self) -> String {
        match self {
            Shape::Boolean => "on or off".to_owned(),
            Shape::Integer => "an integer".to_owned(),
            Shape::Word(word) => format!("'{word}', which the server has set already"),
        }
    }
}

/// The use of a pragma; `None` if it is not allowed at all.
pub(super) fn find(name: &str) -> Option<Use> {
    TABLE.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, use_)| *use_)
}

#[rustfmt::skip]
const TABLE: &[(&str, Use)] = &[
    ("analysis_limit", Use::Ask),
    ("application_id", Use::Write(Shape::Integer)),
    ("auto_vacuum", Use::Ask),
    ("automatic_index", Use::Connection(Shape::Boolean)),
    ("busy_timeout", Use::Ask),
    ("cache_size", Use::Ask),
    ("cache_spill", Use::Ask),
    ("case_sensitive_like", Use::Connection(Shape::Boolean)),
    ("cell_size_check", Use::Ask),
    ("checkpoint_fullfsync", Use::Ask),
    ("collation_list", Use::Ask),
    ("compile_options", Use::Ask),
    ("data_version", Use::Ask),
    ("database_list", Use::Ask),
    ("defer_foreign_keys", Use::Connection(Shape::Boolean)),
    ("encoding", Use::Ask),
    ("foreign_key_check", Use::AskOf),
    ("foreign_key_list", Use::AskOf),
    ("foreign_keys", Use::Connection(Shape::Boolean)),
    ("freelist_count", Use::Ask),
    ("fullfsync", Use::Ask),
    ("function_list", Use::Ask),
    ("index_info", Use::AskOf),
    ("index_list", Use::AskOf),
    ("index_xinfo", Use::AskOf),
    ("integrity_check", Use::AskOf),
    ("journal_mode", Use::Connection(Shape::Word("wal"))),
    ("journal_size_limit", Use::Ask),
    ("legacy_alter_table", Use::Connection(Shape::Boolean)),
    ("locking_mode", Use::Ask),
    ("max_page_count", Use::Ask),
    ("mmap_size", Use::Ask),
    ("module_list", Use::Ask),
    ("optimize", Use::Maintain),
    ("page_count", Use::Ask),
    ("page_size", Use::Ask),
    ("pragma_list", Use::Ask),
    ("query_only", Use::Connection(Shape::Boolean)),
    ("quick_check", Use::AskOf),
    ("read_uncommitted", Use::Connection(Shape::Boolean)),
    ("recursive_triggers", Use::Connection(Shape::Boolean)),
    ("reverse_unordered_selects", Use::Connection(Shape::Boolean)),
    ("schema_version", Use::Ask),
    ("secure_delete", Use::Ask),
    ("synchronous", Use::Ask),
    ("table_info", Use::AskOf),
    ("table_list", Use::AskOf),
    ("table_xinfo", Use::AskOf),
    ("temp_store", Use::Ask),
    ("threads", Use::Ask),
    ("trusted_schema", Use::Ask),
    ("user_version", Use::Write(Shape::Integer)),
    ("wal_autocheckpoint", Use::Ask),
];
