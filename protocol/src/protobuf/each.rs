//! Repeated fields that are read item by item.
//!
//! `prost` would first read them all: of an empty item, two bytes on the wire, it makes a structure of a hundred
//! bytes or more, and what is wrong with it would be noticed at the end. Here each item becomes one of our types
//! as it is read, and after one that cannot, nothing is kept.

use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, message};

use crate::error::DecodeError;

/// The items of a repeated field so far, or what is wrong with one of them.
#[derive(Debug)]
pub(super) struct Each<B>(Result<Vec<B>, DecodeError>);

impl<B> Default for Each<B> {
    fn default() -> Self {
        Each(Ok(Vec::new()))
    }
}

impl<B> Each<B> {
    /// Reads one more item, which has the structure `A` on the wire.
    pub(super) fn merge<A>(
        &mut self,
        field: &str,
        wire_type: WireType,
        input: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), prost::DecodeError>
    where
        A: prost::Message + Default,
        B: TryFrom<A, Error = DecodeError>,
    {
        let mut item = A::default();
        message::merge(wire_type, &mut item, input, context)?;
        if let Ok(items) = &mut self.0 {
            match B::try_from(item) {
                Ok(item) => items.push(item),
                Err(error) => {
                    let index = items.len();
                    self.0 = Err(DecodeError::new(format!("{field}[{index}]: {error}")));
                }
            }
        }
        Ok(())
    }

    /// The items. The error says which of them it is about.
    pub(super) fn into_items(self) -> Result<Vec<B>, DecodeError> {
        self.0
    }
}

/// Lets `prost` read a structure with fields that are [`Each`]; the other ones are of its own kinds.
macro_rules! read_fields {
    ($message:ident { $($tag:literal => $field:ident: $kind:ident $(of $item:ty)?),* $(,)? }) => {
        /// Only read: what is written is written by the types of this crate.
        impl prost::Message for $message {
            fn encode_raw(&self, _: &mut impl prost::bytes::BufMut) {}

            fn encoded_len(&self) -> usize {
                0
            }

            fn clear(&mut self) {
                *self = Self::default();
            }

            fn merge_field(
                &mut self,
                tag: u32,
                wire_type: prost::encoding::WireType,
                input: &mut impl prost::bytes::Buf,
                context: prost::encoding::DecodeContext,
            ) -> Result<(), prost::DecodeError> {
                let (result, name) = match tag {
                    $($tag => (
                        $crate::protobuf::each::read_field!(
                            self.$field, $kind $(of $item)?, (wire_type, input, context)
                        ),
                        stringify!($field),
                    ),)*
                    _ => {
                        return prost::encoding::skip_field(wire_type, tag, input, context);
                    }
                };
                result.map_err(|mut error: prost::DecodeError| {
                    error.push(stringify!($message), name);
                    error
                })
            }
        }
    };
}
pub(super) use read_fields;

/// One field: `each of` a structure, or an optional one of the kinds that `prost` has.
macro_rules! read_field {
    ($self:ident.$field:ident, each of $item:ty, ($wire_type:expr, $input:expr, $context:expr)) => {
        $self.$field.merge::<$item>(stringify!($field), $wire_type, $input, $context)
    };
    ($self:ident.$field:ident, $kind:ident, ($wire_type:expr, $input:expr, $context:expr)) => {
        prost::encoding::$kind::merge(
            $wire_type,
            $self.$field.get_or_insert_default(),
            $input,
            $context,
        )
    };
}
pub(super) use read_field;
