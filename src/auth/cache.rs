//! Verified tokens, so that a signature is checked once.

use std::collections::HashMap;
use std::sync::Arc;

use super::claims::Claims;
use crate::limits;

/// Two generations: when the younger one is full it becomes the older, and what nobody has asked for since then
/// is forgotten. An entry that has expired is forgotten when it is asked for.
///
/// Tokens are kept as they are: a digest that nobody can find another token for costs more than all else here.
#[derive(Default)]
pub(super) struct TokenCache {
    younger: HashMap<Box<str>, Arc<Claims>>,
    older: HashMap<Box<str>, Arc<Claims>>,
}

impl TokenCache {
    pub(super) fn get(&mut self, token: &str, now: u64) -> Option<Arc<Claims>> {
        if let Some(claims) = self.younger.get(token) {
            if is_current(claims, now) {
                return Some(Arc::clone(claims));
            }
            self.younger.remove(token);
            return None;
        }
        let claims = self.older.remove(token).filter(|claims| is_current(claims, now))?;
        self.put(token, Arc::clone(&claims));
        Some(claims)
    }

    pub(super) fn put(&mut self, token: &str, claims: Arc<Claims>) {
        if token.len() > limits::TOKEN_CACHED_BYTES_MAX {
            return;
        }
        if self.younger.len() >= limits::TOKENS_CACHED / 2 {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(token.into(), claims);
    }

    pub(super) fn clear(&mut self) {
        *self = TokenCache::default();
    }
}

fn is_current(claims: &Claims, now: u64) -> bool {
    claims.expires_at().is_none_or(|expires_at| now < expires_at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::TokenCache;
    use crate::auth::claims::{Claims, Said};
    use crate::limits;

    fn claims(json: &str) -> Arc<Claims> {
        let said = Said::Foreign(Box::new(serde_json::from_str(json).unwrap()), Vec::new());
        Arc::new(Claims { said })
    }

    fn token(number: usize) -> String {
        number.to_string()
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_asked_for() {
        let (mut cache, claims) = (TokenCache::default(), claims("{}"));
        for number in 0..3 * limits::TOKENS_CACHED {
            cache.put(&token(number), Arc::clone(&claims));
            assert!(cache.get("0", 0).is_some(), "{number}");
            assert!(cache.younger.len() + cache.older.len() <= limits::TOKENS_CACHED);
        }
        assert!(cache.get("1", 0).is_none());
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let mut cache = TokenCache::default();
        cache.put("1", claims(r#"{"exp":100}"#));
        let end = 100 + limits::TOKEN_LEEWAY.as_secs();
        assert!(cache.get("1", end - 1).is_some());
        assert!(cache.get("1", end).is_none());
        assert!(cache.younger.is_empty());
    }
}
