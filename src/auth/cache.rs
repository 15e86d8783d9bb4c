//! Verified tokens, so that a signature is checked once.

use std::collections::HashMap;
use std::sync::Arc;

use super::claims::Claims;
use crate::limits;

/// SHA-256 of a token.
pub(super) type Digest = [u8; 32];

/// Two generations: when the younger one is full it becomes the older, and what nobody has asked for since then
/// is forgotten. An entry that has expired is forgotten when it is asked for.
#[derive(Default)]
pub(super) struct TokenCache {
    younger: HashMap<Digest, Arc<Claims>>,
    older: HashMap<Digest, Arc<Claims>>,
}

impl TokenCache {
    pub(super) fn get(&mut self, digest: &Digest, now: u64) -> Option<Arc<Claims>> {
        if let Some(claims) = self.younger.get(digest) {
            if is_current(claims, now) {
                return Some(Arc::clone(claims));
            }
            self.younger.remove(digest);
            return None;
        }
        let claims = self.older.remove(digest).filter(|claims| is_current(claims, now))?;
        self.put(*digest, Arc::clone(&claims));
        Some(claims)
    }

    pub(super) fn put(&mut self, digest: Digest, claims: Arc<Claims>) {
        if self.younger.len() >= limits::TOKENS_CACHED / 2 {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(digest, claims);
    }

    pub(super) fn clear(&mut self) {
        *self = TokenCache::default();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.younger.len() + self.older.len()
    }
}

fn is_current(claims: &Claims, now: u64) -> bool {
    claims.expires_at().is_none_or(|expires_at| now < expires_at)
}
