//! Containers: the scripts as people review them, and as bash and real engines run them.

mod blame;
pub(crate) mod case;
mod ends;
mod engine;
mod images;
mod stops;
mod texts;
mod values;
mod words;
