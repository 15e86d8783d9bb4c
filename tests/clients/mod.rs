//! Published clients, unchanged, against the real program. What is tested is in the directories beside this
//! file, in the language of each client; here they are started, and what they report becomes the table in
//! README.md.

mod browser;
mod dbeaver;
mod go;
mod javascript;
mod pasted;
mod python;
mod report;
mod run;
mod rust;
pub(crate) mod table;
mod turso;
mod workshop;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use self::run::Run;

/// Makes a test of each run.
macro_rules! runs {
    ($($name:ident: $run:expr,)*) => {
        /// In the order of the table. Each happens once, for its own test or for the table.
        static RUNS: LazyLock<Vec<(&str, Run)>> =
            LazyLock::new(|| vec![$((stringify!($name), $run)),*]);

        $(#[test]
        fn $name() {
            let (_, run) = RUNS.iter().find(|(name, _)| *name == stringify!($name)).unwrap();
            run.report();
        })*
    };
}

runs! {
    libsql_client_0_5_6_over_http: javascript::libsql("0.5.6", "http"),
    libsql_client_0_5_6_over_https: javascript::libsql("0.5.6", "https"),
    libsql_client_0_5_6_over_websocket: javascript::libsql("0.5.6", "ws"),
    libsql_client_0_5_6_over_websocket_with_tls: javascript::libsql("0.5.6", "wss"),
    libsql_client_0_14_0_over_http: javascript::libsql("0.14.0", "http"),
    libsql_client_0_14_0_over_https: javascript::libsql("0.14.0", "https"),
    libsql_client_0_14_0_over_websocket: javascript::libsql("0.14.0", "ws"),
    libsql_client_0_14_0_over_websocket_with_tls: javascript::libsql("0.14.0", "wss"),
    libsql_client_0_18_0_over_http: javascript::libsql("0.18.0", "http"),
    libsql_client_0_18_0_over_https: javascript::libsql("0.18.0", "https"),
    libsql_client_0_18_0_over_websocket: javascript::libsql("0.18.0", "ws"),
    libsql_client_0_18_0_over_websocket_with_tls: javascript::libsql("0.18.0", "wss"),
    libsql_client_web_0_5_6_over_http: javascript::libsql_web("0.5.6", "http"),
    libsql_client_web_0_5_6_over_websocket: javascript::libsql_web("0.5.6", "ws"),
    libsql_client_web_0_14_0_over_http: javascript::libsql_web("0.14.0", "http"),
    libsql_client_web_0_14_0_over_websocket: javascript::libsql_web("0.14.0", "ws"),
    libsql_client_web_0_18_0_over_http: javascript::libsql_web("0.18.0", "http"),
    libsql_client_web_0_18_0_over_websocket: javascript::libsql_web("0.18.0", "ws"),
    hrana_client_with_version_1_over_websocket: javascript::hrana("hrana1", "ws"),
    hrana_client_with_version_2_over_http: javascript::hrana("hrana2", "http"),
    hrana_client_with_version_2_over_websocket: javascript::hrana("hrana2", "ws"),
    hrana_client_with_version_3_over_http: javascript::hrana("hrana3", "http"),
    hrana_client_with_version_3_over_websocket: javascript::hrana("hrana3", "ws"),
    hrana_client_with_protobuf_over_http: javascript::hrana("hrana3-protobuf", "http"),
    hrana_client_with_protobuf_over_websocket: javascript::hrana("hrana3-protobuf", "ws"),
    tursodatabase_serverless: javascript::serverless(),
    drizzle: javascript::orm("drizzle", &["drizzle-orm", "drizzle-kit"], "http"),
    starter: turso::starter::starter(),
    prisma: javascript::orm("prisma", &["prisma", "@prisma/adapter-libsql"], "http"),
    kysely: javascript::orm("kysely", &["kysely", "@libsql/kysely-libsql"], "http"),
    knex_over_http: javascript::orm("knex", &["knex", "@libsql/knex-libsql"], "http"),
    knex_over_websocket: javascript::orm("knex", &["knex", "@libsql/knex-libsql"], "ws"),
    libsql_client_for_python_over_http: python::libsql_client("http"),
    libsql_client_for_python_over_websocket: python::libsql_client("ws"),
    libsql_for_python: python::libsql(),
    sqlalchemy_libsql: python::sqlalchemy(),
    libsql_client_go_over_http: go::libsql_client("http"),
    libsql_client_go_over_websocket: go::libsql_client("ws"),
    libsql_for_rust: rust::libsql(),
    dbeaver_jdbc: dbeaver::jdbc(),
}

/// A page for readers, such as README.md.
fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Where the tests in a language are.
fn directory(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(language)
}
