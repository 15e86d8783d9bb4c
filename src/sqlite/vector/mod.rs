//! The vector functions of libSQL: vectors are blobs, made from texts such as `'[1, 2.5]'`.
//!
//! The binary forms are those of libSQL (`libsql-sqlite3/src/vectorInt.h` in its repository), so that a database
//! that was dumped there works here; so are the values of all functions, to the last bit. `vector_concat` and
//! `vector_slice` are Turso Database's. There is no index: what asks for one is explained in `libsql`.

mod convert;
mod distance;
mod elements;
mod form;
mod half;
mod text;

use std::ops::Deref;
use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use self::form::{Form, Vector};
use crate::error::{Error, Result};
use crate::limits;

/// What is wrong with an argument, for whoever wrote the SQL.
type Checked<T> = std::result::Result<T, String>;

/// Functions that make a vector of one form.
const MAKERS: [(&str, Form); 7] = [
    ("vector", Form::Float32),
    ("vector32", Form::Float32),
    ("vector64", Form::Float64),
    ("vector16", Form::Float16),
    ("vectorb16", Form::BFloat16),
    ("vector8", Form::Float8),
    ("vector1bit", Form::Bits),
];

/// Adds the functions to a connection.
pub(super) fn install(db: &rusqlite::Connection) -> Result<()> {
    try_install(db).map_err(|error| Error::internal("prepare a connection", error))
}

fn try_install(db: &rusqlite::Connection) -> rusqlite::Result<()> {
    for (name, form) in MAKERS {
        add(db, name, 1, move |arguments| {
            Ok(arguments.vector(0, form.of_text())?.convert(form).encode())
        })?;
    }
    add(db, "vector_extract", 1, |arguments| {
        Ok(text::write(&*arguments.vector(0, Form::Float32)?))
    })?;
    add(db, "vector_distance_cos", 2, |arguments| {
        let [left, right] = arguments.pair()?;
        Ok(distance::cosine(&left, &right))
    })?;
    add(db, "vector_distance_l2", 2, |arguments| {
        let [left, right] = arguments.pair()?;
        distance::euclidean(&left, &right)
    })?;
    add(db, "vector_concat", -1, |arguments| {
        let vectors = (0..arguments.0.len()).map(|index| arguments.vector(index, Form::Float32));
        let vectors = vectors.collect::<Checked<Vec<_>>>()?;
        let [first, second, others @ ..] = &vectors[..] else {
            return Err("it takes two vectors or more".to_owned());
        };
        let joined = first.owned().concat(second)?;
        let joined = others.iter().try_fold(joined, |joined, next| joined.concat(next));
        Ok(joined?.encode())
    })?;
    add(db, "vector_slice", 3, |arguments| {
        let (start, end) = (arguments.index(1)?, arguments.index(2)?);
        Ok(arguments.vector(0, Form::Float32)?.slice(start, end)?.encode())
    })
}

/// Adds one function. It is a matter of its arguments alone, so it may be used in indexes and in the schema.
fn add<T: rusqlite::functions::SqlFnOutput>(
    db: &rusqlite::Connection,
    name: &'static str,
    count: i32,
    function: impl Fn(&Arguments<'_, '_>) -> Checked<T> + Send + 'static,
) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    db.create_scalar_function(name, count, flags, move |context: &mut Context<'_>| {
        function(&Arguments(context)).map_err(|what| failed(format!("{name}: {what}")))
    })
}

fn failed(message: String) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(message.into())
}

/// The arguments of a call.
struct Arguments<'a, 'c>(&'a Context<'c>);

/// A vector that was given as a blob, or kept from the last time that its text was read.
enum Given<'a> {
    Blob(Vector<'a>),
    Text(Arc<Vector<'static>>),
}

impl<'a> Deref for Given<'a> {
    type Target = Vector<'a>;

    fn deref(&self) -> &Vector<'a> {
        match self {
            Given::Blob(vector) => vector,
            Given::Text(vector) => vector,
        }
    }
}

impl<'a> Arguments<'a, '_> {
    /// The vector at `index`; a text is read in the form `form`. A text that is the same for all rows of a
    /// query is read once.
    fn vector(&self, index: usize, form: Form) -> Checked<Given<'a>> {
        match self.0.get_raw(index) {
            ValueRef::Blob(blob) => Vector::decode(blob).map(Given::Blob),
            ValueRef::Text(_) => {
                let read = |value: ValueRef<'_>| {
                    text::parse(value.as_str().map_err(|error| error.to_string())?, form)
                };
                let place = i32::try_from(index).map_err(|error| error.to_string())?;
                let vector = self.0.get_or_create_aux(place, read);
                vector.map(Given::Text).map_err(|error| error.to_string())
            }
            other => Err(format!(
                "argument {} has to be a vector, as a text like '[1, 2]' or a blob, and is {}",
                index + 1,
                other.data_type()
            )),
        }
    }

    /// Two vectors that can be compared.
    fn pair(&self) -> Checked<[Given<'a>; 2]> {
        let pair = [self.vector(0, Form::Float32)?, self.vector(1, Form::Float32)?];
        let [left, right] = &pair;
        left.must_be_as(right)?;
        if left.dims != right.dims {
            return Err(format!(
                "the vectors have {} and {} dimensions; they need as many",
                left.dims, right.dims
            ));
        }
        Ok(pair)
    }

    /// A position in a vector.
    fn index(&self, index: usize) -> Checked<usize> {
        match self.0.get_raw(index) {
            ValueRef::Integer(position) => usize::try_from(position)
                .map_err(|_| format!("argument {} is {position}; it counts from 0", index + 1)),
            _ => Err(format!("argument {} has to be an integer", index + 1)),
        }
    }
}

fn check_dims(dims: usize) -> Checked<()> {
    if dims <= limits::VECTOR_DIMENSIONS_MAX {
        return Ok(());
    }
    Err(format!("a vector may have {} dimensions", limits::VECTOR_DIMENSIONS_MAX))
}
