//! Bodies of Hrana over HTTP.

use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::stream::{StreamRequest, StreamResult};

/// Body of `POST v2/pipeline`, `v3/pipeline` and `v3-protobuf/pipeline`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineReqBody {
    /// Names the stream; `None` opens a new one.
    #[serde(default)]
    pub baton: Option<String>,
    /// Executed in order, all of them, whatever becomes of the others.
    pub requests: Vec<StreamRequest>,
}

/// Answer to [`PipelineReqBody`]: one result per request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineRespBody {
    /// Names the stream in the next request; `None` once the stream is closed.
    pub baton: Option<String>,
    /// Where the next requests of the stream go, if elsewhere: an absolute URL.
    pub base_url: Option<String>,
    /// As many as there were requests, in the same order.
    pub results: Vec<StreamResult>,
}

/// Body of `POST v3/cursor` and `v3-protobuf/cursor`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CursorReqBody {
    /// Names the stream; `None` opens a new one.
    #[serde(default)]
    pub baton: Option<String>,
    /// What to execute.
    pub batch: Batch,
}

/// The first structure of the answer to [`CursorReqBody`]; cursor entries follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorRespBody {
    /// Names the stream in the next request; `None` once the stream is closed.
    pub baton: Option<String>,
    /// Where the next requests of the stream go, if elsewhere: an absolute URL.
    pub base_url: Option<String>,
}

/// Bodies of the stateless Hrana 1 over HTTP (`HTTP_V1_SPEC.md`); JSON only.
pub mod v1 {
    use serde::{Deserialize, Serialize};

    use crate::batch::{Batch, BatchResult};
    use crate::stmt::{Stmt, StmtResult};

    /// Body of `POST v1/execute`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct ExecuteReqBody {
        pub stmt: Stmt,
    }

    /// Answer to [`ExecuteReqBody`].
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct ExecuteRespBody {
        pub result: StmtResult,
    }

    /// Body of `POST v1/batch`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct BatchReqBody {
        pub batch: Batch,
    }

    /// Answer to [`BatchReqBody`].
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct BatchRespBody {
        pub result: BatchResult,
    }
}
