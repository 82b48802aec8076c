use super::folder::Problem;
use core::fmt;
use std::io;
use truechimer_crypto::RandomUnavailable;
use truechimer_crypto::keyfile::KeyFileError;

/// Why nothing was made.
#[derive(Debug)]
pub enum Failure {
    /// A file of the folder.
    File(Problem),
    /// Making a key.
    Crypto(KeyFileError),
    /// The rest.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(problem) => problem.fmt(f),
            Self::Crypto(error) => error.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for Failure {}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::File(problem)
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        Self::Crypto(error)
    }
}

impl From<RandomUnavailable> for Failure {
    fn from(error: RandomUnavailable) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Other(error.to_string())
    }
}
