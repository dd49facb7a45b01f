//! `sortie report`: what it writes, as a browser shows it, and what it serves.

mod browser;
mod page;
mod served;
mod sweep;
mod written;
