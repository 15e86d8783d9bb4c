//! Dumps that clients upload, to create a database of them.

use std::io::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::time::timeout;
use uuid::Uuid;

use super::form::Kept;
use super::operator::Operator;
use super::place::Place;
use crate::auth::Scope;
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::wire::json_response;
use crate::limits;
use crate::namespace::{ScratchFile, UploadedSeed};
use crate::sqlite::block;

/// What the URLs of uploaded dumps begin with. Behind it is an id that is a secret; it is looked up and never
/// becomes a path, and nothing can be fetched from it.
const SCHEME: &str = "hranad-dump:";

/// The last segment of the URL that dumps are sent to.
const SEGMENT: &str = "dumps";

/// `POST …/databases/dumps`: takes the field `file` of a form, and says what to call it in `seed`.
pub(crate) async fn upload(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    mut request: Request,
) -> Result<Response> {
    // It stands where the names of databases do; one of them may be called so.
    if place.param("database") != SEGMENT {
        let message = format!("POST is not possible here, only at …/databases/{SEGMENT}");
        return Err(Error::new(ErrorKind::MethodNotAllowed, message));
    }
    let dump = operator.may_somewhere(Scope::DbCreate).and_then(|()| app.seeds.begin_seed());
    let dump = match dump {
        Ok(dump) => dump,
        Err(error) => {
            discard(request.into_body(), limits::SEED_BYTES_MAX).await;
            return Err(error);
        }
    };
    // It is counted below.
    DefaultBodyLimit::disable().apply(&mut request);
    let kept = Kept::default();
    let request = request.map(|body| kept.watch(body));
    let form = Multipart::from_request(request, &()).await;
    let form = form.map_err(|error| Error::bad_request(error.body_text()))?;
    receive(form, &dump.file, &kept).await?;
    if let Some(rest) = kept.take_rest() {
        discard(rest, limits::FORM_KEPT_BYTES_MAX as u64).await;
    }
    let id = app.seeds.keep_dump(dump, operator.token());
    Ok(json_response(&json!({ "dump_url": format!("{SCHEME}{id}") })))
}

/// Reads what is not wanted. The CLI looks at the answer after it has sent all, and tells its user of a broken pipe if it
/// cannot.
async fn discard(mut body: Body, bytes_max: u64) {
    let mut bytes = 0;
    while let Ok(Some(Ok(frame))) = timeout(limits::UPLOAD_STALL, body.frame()).await {
        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        if bytes > bytes_max {
            break;
        }
    }
}

/// Writes the field `file` of a form to a file.
async fn receive(mut form: Multipart, file: &ScratchFile, kept: &Kept) -> Result<()> {
    while let Some(field) = patiently(form.next_field()).await? {
        if field.name() == Some("file") {
            return receive_field(field, file, kept).await;
        }
    }
    Err(Error::bad_request("the form has no field `file`"))
}

async fn receive_field(mut field: Field<'_>, file: &ScratchFile, kept: &Kept) -> Result<()> {
    let mut file = block(|| file.create())?;
    let mut bytes = 0;
    while let Some(chunk) = patiently(field.chunk()).await? {
        kept.given_out();
        bytes += chunk.len() as u64;
        if bytes > limits::SEED_BYTES_MAX {
            return Err(too_large());
        }
        block(|| file.write_all(&chunk)).map_err(|e| Error::internal("keep the dump", e))?;
    }
    Ok(())
}

/// Waits for more of the form, but not for ever.
async fn patiently<T>(
    more: impl Future<Output = Result<T, axum::extract::multipart::MultipartError>>,
) -> Result<T> {
    match timeout(limits::UPLOAD_STALL, more).await {
        Ok(result) => result.map_err(|error| {
            Error::bad_request(format!("the upload could not be read: {}", error.body_text()))
        }),
        Err(_) => Err(Error::bad_request(format!(
            "nothing more of the upload has arrived for {} s",
            limits::UPLOAD_STALL.as_secs()
        ))),
    }
}

fn too_large() -> Error {
    let gibibytes = limits::SEED_BYTES_MAX / limits::GIB;
    Error::new(
        ErrorKind::BodyTooLarge,
        format!(
            "the dump has more than {gibibytes} GiB; create the database without, and fill it in parts"
        ),
    )
}

/// The dump that a URL of ours means.
pub(super) fn take(app: &App, operator: &Operator, url: &str) -> Result<UploadedSeed> {
    let id = url.strip_prefix(SCHEME).and_then(|id| Uuid::try_parse(id).ok());
    let id = id.ok_or_else(|| {
        Error::bad_request(
            "seed: `url` is neither http nor https, nor what the upload of a dump has answered as `dump_url`",
        )
    })?;
    app.seeds.take_dump(id, operator.token())
}
