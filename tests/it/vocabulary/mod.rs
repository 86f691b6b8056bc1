//! Words of a profile that no shipped partner uses, each over a real socket with exact answers: calls in the query and in
//! a form, sorted and raw pairs, figures times a hundred, moments in another zone, what the customer paid, fields outside
//! the signature, two keys at once, signed replies. Holds I1 and I2.

mod dialect;
mod pairs;
mod texts;
