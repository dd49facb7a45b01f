//! Settings from real files, the way back, and Python as the judge of `str`.

mod files;
mod python;
mod round_trip;
mod values;
