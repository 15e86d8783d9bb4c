//! Why a WebSocket is closed, in the codes of RFC 6455, section 7.4.1; those that the session gives are in [`Closing`].

use std::io::ErrorKind as IoErrorKind;

use tokio_tungstenite::tungstenite::Error as WsError;

use crate::hrana::session::Closing;
use crate::limits;

/// What a frame that cannot be read says about its sender.
pub(super) fn broken(error: axum::Error) -> Closing {
    let (code, reason) = match error.into_inner().downcast::<WsError>() {
        Ok(error) => match *error {
            WsError::Utf8(_) => (INVALID, "a text message is not valid UTF-8".to_owned()),
            WsError::Capacity(_) => (
                TOO_BIG,
                format!("a message may have {} MiB", limits::BODY_BYTES_MAX / limits::MIB),
            ),
            WsError::Io(error) if error.kind() == IoErrorKind::FileTooLarge => {
                let kibibytes = limits::SOCKET_HELLO_BYTES / limits::KIB as u64;
                (TOO_BIG, format!("before hello there may be {kibibytes} KiB"))
            }
            WsError::Protocol(error) => (Closing::PROTOCOL, error.to_string()),
            error => (GOING_AWAY, error.to_string()),
        },
        Err(error) => (GOING_AWAY, error.to_string()),
    };
    Closing { code, reason }
}

pub(super) const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const UNSUPPORTED: u16 = 1003;
pub(super) const INVALID: u16 = 1007;
const TOO_BIG: u16 = 1009;

pub(super) fn unsupported(kind: &str, instead: &str) -> Closing {
    let reason = format!("Received a {kind} WebSocket message, which is not supported: {instead}");
    Closing { code: UNSUPPORTED, reason }
}

pub(super) fn stopping() -> Closing {
    Closing { code: GOING_AWAY, reason: "the server is stopping".to_owned() }
}

/// The client does not take or say anything any more.
pub(super) fn gone() -> Closing {
    Closing { code: GOING_AWAY, reason: "the client was silent for too long".to_owned() }
}
