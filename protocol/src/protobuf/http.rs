//! The bodies of the package `hrana.http`.

use super::batch::Batch;
use super::each::{Each, read_fields};
use super::stream::{StreamRequest, StreamResult};
use super::{Encode, read_as, write};
use crate::error::{DecodeError, present};
use crate::{http, stream};

#[derive(Debug, Default)]
struct PipelineReqBody {
    baton: Option<String>,
    requests: Each<stream::StreamRequest>,
}

read_fields!(PipelineReqBody {
    1 => baton: string,
    2 => requests: each of StreamRequest,
});

#[derive(Debug, Default)]
struct PipelineRespBody {
    baton: Option<String>,
    base_url: Option<String>,
    results: Each<stream::StreamResult>,
}

read_fields!(PipelineRespBody {
    1 => baton: string,
    2 => base_url: string,
    3 => results: each of StreamResult,
});

#[derive(prost::Message)]
struct CursorReqBody {
    #[prost(string, optional, tag = "1")]
    baton: Option<String>,
    #[prost(message, optional, tag = "2")]
    batch: Option<Batch>,
}

#[derive(prost::Message)]
struct CursorRespBody {
    #[prost(string, optional, tag = "1")]
    baton: Option<String>,
    #[prost(string, optional, tag = "2")]
    base_url: Option<String>,
}

read_as! {
    PipelineReqBody => http::PipelineReqBody,
    PipelineRespBody => http::PipelineRespBody,
    CursorReqBody => http::CursorReqBody,
    CursorRespBody => http::CursorRespBody,
}

impl TryFrom<PipelineReqBody> for http::PipelineReqBody {
    type Error = DecodeError;

    fn try_from(message: PipelineReqBody) -> Result<Self, DecodeError> {
        Ok(http::PipelineReqBody { baton: message.baton, requests: message.requests.into_items()? })
    }
}

impl TryFrom<PipelineRespBody> for http::PipelineRespBody {
    type Error = DecodeError;

    fn try_from(message: PipelineRespBody) -> Result<Self, DecodeError> {
        Ok(http::PipelineRespBody {
            baton: message.baton,
            base_url: message.base_url,
            results: message.results.into_items()?,
        })
    }
}

impl TryFrom<CursorReqBody> for http::CursorReqBody {
    type Error = DecodeError;

    fn try_from(message: CursorReqBody) -> Result<Self, DecodeError> {
        let batch = present(message.batch, "CursorReqBody", "batch")?.try_into()?;
        Ok(http::CursorReqBody { baton: message.baton, batch })
    }
}

impl TryFrom<CursorRespBody> for http::CursorRespBody {
    type Error = DecodeError;

    fn try_from(message: CursorRespBody) -> Result<Self, DecodeError> {
        Ok(http::CursorRespBody { baton: message.baton, base_url: message.base_url })
    }
}

impl Encode for http::PipelineReqBody {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write::optional_string(1, self.baton.as_deref(), out);
        self.requests.iter().for_each(|request| write::message(2, request, out));
    }
}

impl Encode for http::PipelineRespBody {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write::optional_string(1, self.baton.as_deref(), out);
        write::optional_string(2, self.base_url.as_deref(), out);
        self.results.iter().for_each(|result| write::message(3, result, out));
    }
}

impl Encode for http::CursorReqBody {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write::optional_string(1, self.baton.as_deref(), out);
        write::message(2, &self.batch, out);
    }
}

impl Encode for http::CursorRespBody {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write::optional_string(1, self.baton.as_deref(), out);
        write::optional_string(2, self.base_url.as_deref(), out);
    }
}
