//! What finance's pages ask of the books, beside naive answers from plain values: on both databases.

mod breaks;
pub mod days;
mod naive;
mod older;
mod people;
mod proposals;
mod world;

macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(crate::store_contract::sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $test() {
                // A database that cannot be had here is said so, and shows nothing.
                crate::store_contract::postgres::postgres().into_iter().for_each(super::$test);
            })*
        }
    };
}
use on_both;
