//! `DescribeResult` and its parts.

use super::{Encode, read_as, write};
use crate::error::DecodeError;

#[derive(prost::Message)]
pub(super) struct DescribeResult {
    #[prost(message, repeated, tag = "1")]
    params: Vec<DescribeParam>,
    #[prost(message, repeated, tag = "2")]
    cols: Vec<DescribeCol>,
    #[prost(bool, tag = "3")]
    is_explain: bool,
    #[prost(bool, tag = "4")]
    is_readonly: bool,
}

#[derive(prost::Message)]
struct DescribeParam {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
}

#[derive(prost::Message)]
struct DescribeCol {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, optional, tag = "2")]
    decltype: Option<String>,
}

read_as!(DescribeResult => crate::DescribeResult);

impl TryFrom<DescribeResult> for crate::DescribeResult {
    type Error = DecodeError;

    fn try_from(message: DescribeResult) -> Result<Self, DecodeError> {
        let param = |DescribeParam { name }| crate::DescribeParam { name };
        let col = |DescribeCol { name, decltype }| crate::DescribeCol { name, decltype };
        Ok(crate::DescribeResult {
            params: message.params.into_iter().map(param).collect(),
            cols: message.cols.into_iter().map(col).collect(),
            is_explain: message.is_explain,
            is_readonly: message.is_readonly,
        })
    }
}

impl Encode for crate::DescribeResult {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        self.params.iter().for_each(|param| write::message(1, param, out));
        self.cols.iter().for_each(|col| write::message(2, col, out));
        write::nonzero::bool(3, self.is_explain, out);
        write::nonzero::bool(4, self.is_readonly, out);
    }
}

impl Encode for crate::DescribeParam {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write::optional_string(1, self.name.as_deref(), out);
    }
}

impl Encode for crate::DescribeCol {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write::nonzero::string(1, &self.name, out);
        write::optional_string(2, self.decltype.as_deref(), out);
    }
}
