//! Names what libSQL has and SQLite lacks, where SQLite only says that it does not understand.
//!
//! What there is instead is in `docs/compatibility.md`, feature by feature.

use super::execution::skip_blank;
use crate::error::Error;

const VECTOR_INDEX: &str = "libSQL's vector index (libsql_vector_idx, vector_top_k) is not available on this \
     server; use ORDER BY vector_distance_cos(column, vector) LIMIT k";

const WASM: &str = "libSQL's functions in WebAssembly (CREATE FUNCTION, DROP FUNCTION, \
     libsql_wasm_func_table) are not available on this server";

const RANDOM_ROWID: &str = "libSQL's RANDOM ROWID is not available on this server; use a key that you make \
     yourself, such as id BLOB PRIMARY KEY DEFAULT (randomblob(16))";

const ALTER_COLUMN: &str = "libSQL's ALTER TABLE ... ALTER COLUMN ... TO is not available on this server; there \
     are ALTER COLUMN ... SET NOT NULL and DROP NOT NULL, ADD CONSTRAINT, DROP CONSTRAINT, or a copy of the \
     table (sqlite.org/lang_altertable.html)";

const DATABASE_NAME: &str =
    "libsql-server's function libsql_server_database_name is not available on this server";

const TURSO_VECTORS: &str = "Turso Database's sparse vectors, vector_distance_dot and \
     vector_distance_jaccard are not available on this server; there are vector_distance_cos and \
     vector_distance_l2";

const SERIES: &str = "libsql-server's generate_series and stats_seq are not available on this server; use WITH \
     RECURSIVE";

const SQLEAN: &str = "the functions of SQLean, which libsql-server adds to libSQL, are not available on this \
     server";

/// Functions and tables by name.
const NAMES: [(&str, &str); 10] = [
    ("libsql_vector_idx", VECTOR_INDEX),
    ("vector_top_k", VECTOR_INDEX),
    ("libsql_vector_meta_shadow", VECTOR_INDEX),
    ("libsql_wasm_func_table", WASM),
    ("libsql_server_database_name", DATABASE_NAME),
    ("vector32_sparse", TURSO_VECTORS),
    ("vector_distance_dot", TURSO_VECTORS),
    ("vector_distance_jaccard", TURSO_VECTORS),
    ("generate_series", SERIES),
    ("stats_seq", SERIES),
];

/// How names of SQLean's functions begin.
const SQLEAN_PREFIXES: [&str; 9] =
    ["crypto_", "fuzzy_", "math_", "percentile", "regexp", "stats_", "stddev", "text_", "uuid"];

/// Its other functions, most of them aliases.
#[rustfmt::skip]
const SQLEAN_NAMES: [&str; 39] = [
    "bit_length", "blake3", "btrim", "caverphone", "char_length", "character_length", "decode", "dlevenshtein",
    "edit_distance", "encode", "gen_random_uuid", "hamming", "jaro_winkler", "left", "levenshtein", "lpad",
    "md5", "median", "osa_distance", "phonetic_hash", "repeat", "reverse", "right", "rpad", "rsoundex",
    "script_code", "sha1", "sha256", "sha384", "sha512", "split_part", "sqlean_version", "starts_with",
    "strpos", "translate", "translit", "var_pop", "var_samp", "variance",
];

/// SQLite's refusal of `sql`, with the name of the feature of libSQL that was meant, if it was one.
pub(super) fn explain(error: Error, sql: &str) -> Error {
    let message = error.message();
    let feature = by_name(message).or_else(|| by_syntax(message, sql));
    match feature {
        Some(feature) => Error::new(error.kind(), format!("{message}; {feature}")),
        None => error,
    }
}

/// What is meant where SQLite knows no function or table of that name.
fn by_name(message: &str) -> Option<&'static str> {
    let after = |start| {
        let name = message.split_once(start)?.1.split([' ', '(']).next()?;
        Some(name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase())
    };
    let function = after("no such function: ").or_else(|| after("unknown function: "));
    let is_function = function.is_some();
    let name = function.or_else(|| after("no such table: "))?;
    let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, feature)| *feature);
    let is_sqlean = SQLEAN_NAMES.contains(&&*name)
        || SQLEAN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    known.or((is_function && is_sqlean).then_some(SQLEAN))
}

/// What is meant where SQLite says `near "word": syntax error (at offset 7)`.
fn by_syntax(message: &str, sql: &str) -> Option<&'static str> {
    let (_, rest) = message.split_once("near \"")?;
    let (word, rest) = rest.split_once("\": syntax error (at offset ")?;
    let offset: usize = rest.strip_suffix(')')?.parse().ok()?;
    let before = skip_blank(sql.get(..offset)?).to_ascii_lowercase();
    let words: Vec<_> = before.split_ascii_whitespace().collect();
    match (&*word.to_ascii_lowercase(), &words[..]) {
        ("function", ["create" | "drop"]) => Some(WASM),
        ("rowid", [.., last]) if last.ends_with("random") => Some(RANDOM_ROWID),
        ("to", ["alter", "table", .., "alter", "column", _]) => Some(ALTER_COLUMN),
        _ => None,
    }
}
