//! The owner's own token, and the rule for callers without one.

use super::access::Access;
use crate::error::{Error, ErrorKind, Result};

/// Decides who gets in. Without a rule that lets a caller in, the answer is no.
pub struct Gate {
    api_token: String,
    /// Whether the data plane is open to everybody who can reach it, as on a loopback address.
    is_open: bool,
}

impl Gate {
    pub fn new(api_token: String, is_open: bool) -> Self {
        Gate { api_token, is_open }
    }

    /// The rights of a caller on databases. `is_local` says that the request comes from this machine, and not
    /// through a proxy or a web page of somebody else.
    pub fn data_plane(&self, token: Option<&str>, is_local: bool) -> Result<Access> {
        if (self.is_open && is_local) || self.is_api_token(token) {
            Ok(Access::FULL)
        } else if self.is_open && token.is_none() {
            Err(Error::new(
                ErrorKind::Unauthorized,
                "Unauthorized: without a token only programs and pages of this machine get in, not \
                 web pages from elsewhere nor what a proxy forwards; send `Authorization: Bearer TOKEN`",
            ))
        } else {
            Err(refuse(token))
        }
    }

    /// Lets the owner of the server in.
    pub fn platform(&self, token: Option<&str>) -> Result<()> {
        if self.is_api_token(token) { Ok(()) } else { Err(refuse(token)) }
    }

    /// Compares all bytes whatever they are, so that the time taken tells nothing.
    fn is_api_token(&self, token: Option<&str>) -> bool {
        let Some(token) = token else { return false };
        let (given, expected) = (token.as_bytes(), self.api_token.as_bytes());
        given.len() == expected.len()
            && given.iter().zip(expected).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

fn refuse(token: Option<&str>) -> Error {
    let message = match token {
        None => {
            "Unauthorized: no token was given; send `Authorization: Bearer TOKEN` with the token in \
             the file `api-token` of the server's data directory"
        }
        Some(_) => {
            "Unauthorized: the token is not valid here; the right one is in the file `api-token` of \
             the server's data directory"
        }
    };
    Error::new(ErrorKind::Unauthorized, message)
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn only_the_api_token_opens_a_closed_gate() {
        let gate = Gate::new("secret".to_owned(), false);
        for token in [None, Some(""), Some("secre"), Some("secret2"), Some("Secret")] {
            assert!(gate.data_plane(token, true).is_err(), "{token:?}");
            assert!(gate.platform(token).is_err(), "{token:?}");
        }
        assert!(gate.data_plane(Some("secret"), false).is_ok());
        assert!(gate.platform(Some("secret")).is_ok());
    }

    #[test]
    fn an_open_gate_is_open_to_data_only() {
        let gate = Gate::new("secret".to_owned(), true);
        assert!(gate.data_plane(None, true).is_ok());
        assert!(gate.data_plane(None, false).is_err());
        assert!(gate.data_plane(Some("wrong"), false).is_err());
        assert!(gate.platform(None).is_err());
    }
}
