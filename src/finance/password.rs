//! Passwords as they are kept: argon2id with the parameters of OWASP's cheat sheet (19 MiB, two passes, one lane).

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Bytes of salt.
const SALT_BYTES: usize = 16;

/// No random numbers, or no memory.
#[derive(Debug, thiserror::Error)]
#[error("the machine cannot hash a password")]
pub struct NotHashed;

/// A password as a PHC string, under a new salt.
///
/// # Errors
/// [`NotHashed`].
pub fn hash(password: &str) -> Result<String, NotHashed> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|_no_chance| NotHashed)?;
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|_no_memory| NotHashed)
}

/// A password that nobody chose, for the first log-in, and what is kept of it.
///
/// # Errors
/// [`NotHashed`].
pub fn made_up() -> Result<(String, String), NotHashed> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).map_err(|_no_chance| NotHashed)?;
    let password = hex::encode(bytes);
    let phc = hash(&password)?;
    Ok((password, phc))
}

/// Is it this password? Takes as long when it is not.
#[must_use]
pub fn is(password: &str, phc: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), phc).is_ok()
}

/// Takes as long as a wrong password does, so that nobody learns by the time who works here.
pub fn is_nobody(password: &str) {
    drop(std::hint::black_box(hash(password)));
}

#[cfg(test)]
mod tests {
    use super::{hash, is};

    #[test]
    fn a_password_is_known_again_and_no_other_one() {
        let phc = hash("mưa rơi trên vịnh").expect("a machine with random numbers");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(is("mưa rơi trên vịnh", &phc));
        assert!(!is("mưa rơi trên vinh", &phc));
        assert!(!is("mưa rơi trên vịnh", "nonsense"));
        assert_ne!(hash("mưa rơi trên vịnh").ok(), Some(phc), "each has a salt of its own");
    }
}
