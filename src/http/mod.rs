//! Two listeners' routes. Translates between HTTP and the modules below; decides nothing.

pub mod body;
pub mod peer;
pub mod problem;
pub mod tokens;
