//! When a caller that was let in may not go on, while it is still being answered.

use std::sync::Arc;

use crate::error::Error;
use crate::namespace::{Admission, Namespaces};

/// What a caller was granted, for whoever answers it over some time.
#[derive(Clone)]
pub(crate) struct Ending {
    admission: Admission,
    namespaces: Arc<Namespaces>,
}

impl Ending {
    pub(super) fn new(admission: Admission, namespaces: &Arc<Namespaces>) -> Self {
        Ending { admission, namespaces: Arc::clone(namespaces) }
    }

    /// Waits until the caller may not go on any more, and says why.
    pub(super) async fn reached(self) -> Error {
        let revisions = self.namespaces.revisions();
        self.admission.ended(revisions).await
    }
}
