//! Who gets in at all: whoever has a token, and on a loopback address also who has none.

use std::sync::Arc;

use uuid::Uuid;

use super::authority::Authority;
use super::claims::Claims;
use crate::error::{Error, ErrorKind, Result};

/// Who a caller of the data plane is, before it is known which database is meant.
#[derive(Clone, Debug)]
pub enum Identity {
    /// May do everything: has the owner's token, or comes from this machine, as its operator allows.
    Owner,
    /// May do what a verified token says.
    Token(Arc<Claims>),
}

/// Decides who gets in. Without a rule that lets a caller in, the answer is no.
pub struct Gate {
    api_token: String,
    authority: Arc<Authority>,
    /// Whether the data plane is open to this machine, as on a loopback address.
    is_open: bool,
}

impl Gate {
    pub fn new(api_token: String, authority: Arc<Authority>, is_open: bool) -> Self {
        Gate { api_token, authority, is_open }
    }

    /// Who a caller of the data plane is. `is_local` says that the request comes from this machine, and not
    /// through a proxy or a web page of somebody else; `database` is which one is asked for, and `now` is in seconds
    /// since 1970.
    pub fn identify(
        &self,
        token: Option<&str>,
        is_local: bool,
        database: impl FnOnce() -> Option<Uuid>,
        now: u64,
    ) -> Result<Identity> {
        match token {
            None if self.is_open && is_local => Ok(Identity::Owner),
            None if self.is_open => Err(Error::new(
                ErrorKind::Unauthorized,
                "Unauthorized: without a token only programs and pages of this machine get in, under \
                 `localhost` or a loopback address, not web pages from elsewhere nor what a proxy \
                 forwards; send `Authorization: Bearer TOKEN`",
            )),
            None => Err(no_token()),
            Some(_) if self.is_api_token(token) => Ok(Identity::Owner),
            Some(token) => self.authority.verify(token, database, now).map(Identity::Token),
        }
    }

    /// Lets the owner of the server in.
    pub fn platform(&self, token: Option<&str>) -> Result<()> {
        match token {
            None => Err(Error::new(
                ErrorKind::Unauthorized,
                "Unauthorized: no token was given; send `Authorization: Bearer TOKEN` with one of the platform API; \
                 the owner's is in the file `api-token` of the server's data directory",
            )),
            Some(_) if self.is_api_token(token) => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::Unauthorized,
                "Unauthorized: the token is not one of the platform API; the owner's is in the file `api-token` \
                 of the server's data directory",
            )),
        }
    }

    fn is_api_token(&self, token: Option<&str>) -> bool {
        token.is_some_and(|token| is_secret(token, &self.api_token))
    }
}

/// Compares all bytes whatever they are, so that the time taken tells nothing.
pub fn is_secret(given: &str, secret: &str) -> bool {
    let (given, secret) = (given.as_bytes(), secret.as_bytes());
    given.len() == secret.len()
        && given.iter().zip(secret).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn no_token() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "Unauthorized: no token was given; send `Authorization: Bearer TOKEN` with a token of the database, of its \
         group, or the owner's in the file `api-token` of the server's data directory",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Authority, SigningKey};
    use super::Gate;

    fn gate(is_open: bool) -> Gate {
        let authority = Authority::new(&SigningKey::generate().unwrap()).unwrap();
        Gate::new("secret".to_owned(), Arc::new(authority), is_open)
    }

    #[test]
    fn only_the_api_token_opens_a_closed_gate() {
        let gate = gate(false);
        for token in [None, Some(""), Some("secre"), Some("secret2"), Some("Secret")] {
            assert!(gate.identify(token, true, || None, 0).is_err(), "{token:?}");
            assert!(gate.platform(token).is_err(), "{token:?}");
        }
        assert!(gate.identify(Some("secret"), false, || None, 0).is_ok());
        assert!(gate.platform(Some("secret")).is_ok());
    }

    #[test]
    fn an_open_gate_is_open_to_data_only_and_to_those_without_a_token() {
        let gate = gate(true);
        assert!(gate.identify(None, true, || None, 0).is_ok());
        assert!(gate.identify(None, false, || None, 0).is_err());
        assert!(gate.identify(Some("wrong"), true, || None, 0).is_err());
        assert!(gate.platform(None).is_err());
    }
}
