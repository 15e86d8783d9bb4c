//! The page that `turso auth login` opens in a browser. It has nothing to hide and asks the server nothing: the
//! token that is pasted into it goes to the CLI on the same machine, which checks it.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::limits;

#[derive(Deserialize)]
pub(crate) struct LoginQuery {
    /// Where the CLI listens on the machine of the browser; without it, somebody has to carry the token over.
    port: Option<u16>,
    /// What the CLI wants to see again.
    #[serde(default)]
    state: String,
}

/// Whether `GET /` asks for this page, and not for a WebSocket.
pub(crate) fn is_meant(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let asks = query.split('&').any(|parameter| parameter.starts_with("redirect="));
    asks && !request.headers().contains_key(header::UPGRADE)
}

/// `GET /?redirect=…` and `/signup?redirect=…`
pub(crate) async fn page(query: Result<Query<LoginQuery>, QueryRejection>) -> Result<Response> {
    let Query(query) = query.map_err(|error| Error::bad_request(error.body_text()))?;
    let is_plain = query.state.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_plain || query.state.len() > limits::LOGIN_STATE_BYTES_MAX {
        return Err(Error::bad_request("`state` is not one that the turso CLI has made"));
    }
    let (form, target) = match query.port {
        Some(port) => (form(port, &query.state), format!("http://localhost:{port}")),
        None => (HEADLESS.to_owned(), "'none'".to_owned()),
    };
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; form-action {target}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Html(format!("{START}{form}{END}"))).into_response())
}

fn form(port: u16, state: &str) -> String {
    format!(
        "<form action=\"http://localhost:{port}/\">\n\
         <input type=\"hidden\" name=\"state\" value=\"{state}\">\n\
         <label>Token <input type=\"password\" name=\"jwt\" required autofocus></label>\n\
         <button>Log in</button>\n\
         </form>\n"
    )
}

const START: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Log in to hranad</title>
<style>body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }</style>
<h1>Log in to hranad</h1>
<p>Use a token of this server: the one in the file <code>api-token</code> of its data directory, or one that
<code>turso auth api-tokens mint</code> has made.</p>
";

const HEADLESS: &str = "<p>In your terminal, run</p>\n<pre>turso config set token TOKEN</pre>\n";

const END: &str = "</html>\n";
