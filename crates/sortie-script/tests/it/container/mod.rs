//! Containers: the arguments as people review them, and as bash and real engines read them.

mod case;
mod engine;
mod texts;
mod words;
