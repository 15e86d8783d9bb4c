//! What the server tells about itself to anybody: is it there, which version, which protocols.

/// `GET /health`
pub(crate) async fn health() {}

/// `GET /version`
pub(crate) async fn version() -> String {
    format!("hranad {}", env!("CARGO_PKG_VERSION"))
}

/// `GET /v1`, `/v2`, `/v3`, `/v3-protobuf`: a 2xx answer says that this version is served.
pub(crate) async fn protocol() -> &'static str {
    "This server speaks Hrana over HTTP; see https://github.com/tursodatabase/libsql/tree/main/docs\n"
}
