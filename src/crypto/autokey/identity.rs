//! The three identity schemes as one: keys that answer, parameters that challenge.
use crate::identity::{
    GqAnswer, GqKey, GqParameters, IffAnswer, IffKey, IffParameters, MvAnswer, MvKey, MvParameters,
};
use crate::keyfile::{KeyFileError, KeyText};
use truechimer_proto::autokey::job::Failure;
use truechimer_proto::autokey::status::Scheme;

/// What a server answers with.
#[derive(Debug)]
pub(super) enum SchemeKey {
    Iff(IffKey),
    Gq(GqKey),
    Mv(MvKey),
}

/// One group's key.
#[derive(Debug)]
pub(super) struct GroupKey {
    pub(super) key: SchemeKey,
    /// NTP seconds: the group's parameters have the same, and by nothing else does a challenge tell
    /// which group it is of.
    pub(super) filestamp: u32,
    /// The group by the file's first line.
    pub(super) owner: String,
}

/// What a client challenges with.
#[derive(Debug)]
pub(super) enum SchemeParameters {
    Iff(IffParameters),
    Gq(GqParameters),
    Mv(MvParameters),
}

impl SchemeKey {
    pub(super) fn read(
        scheme: Scheme,
        text: &KeyText,
        password: Option<&[u8]>,
    ) -> Result<Self, KeyFileError> {
        Ok(match scheme {
            Scheme::Iff => Self::Iff(IffKey::read(text, password)?),
            Scheme::Gq => Self::Gq(GqKey::read(text, password)?),
            Scheme::Mv => Self::Mv(MvKey::read(text, password)?),
        })
    }

    fn challenge_len(&self) -> usize {
        match self {
            Self::Iff(key) => key.parameters().challenge_len(),
            Self::Gq(key) => key.parameters().challenge_len(),
            Self::Mv(key) => key.challenge_len(),
        }
    }

    /// The answer to a challenge, DER. A challenge is the whole value, however the asker padded it;
    /// one that is longer than the modulus would only cost time.
    pub(super) fn answer(&self, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
        if challenge.is_empty() || challenge.len() > self.challenge_len() {
            return Err(Failure::Length);
        }
        let answer = match self {
            Self::Iff(key) => key.answer(challenge).map(|answer| answer.to_der()),
            Self::Gq(key) => key.answer(challenge).map(|answer| answer.to_der()),
            Self::Mv(key) => key.answer(challenge).map(|answer| answer.to_der()),
        };
        answer.map_err(|_| Failure::GroupKey)
    }
}

impl SchemeParameters {
    pub(super) fn read(scheme: Scheme, text: &KeyText) -> Result<Self, KeyFileError> {
        Ok(match scheme {
            Scheme::Iff => Self::Iff(IffParameters::read(text)?),
            Scheme::Gq => Self::Gq(GqParameters::read(text)?),
            Scheme::Mv => Self::Mv(MvParameters::read(text)?),
        })
    }

    /// Random octets, as many as the modulus has.
    pub(super) fn challenge(&self) -> Result<Vec<u8>, Failure> {
        let challenge = match self {
            Self::Iff(parameters) => parameters.challenge(),
            Self::Gq(parameters) => parameters.challenge(),
            Self::Mv(parameters) => parameters.challenge(),
        };
        challenge.map_err(|_| Failure::GroupKey)
    }

    /// Whether an answer is right; `gq_public` is of the answerer's certificate.
    pub(super) fn verify(
        &self,
        challenge: &[u8],
        answer: &[u8],
        gq_public: Option<&[u8]>,
    ) -> Result<(), Failure> {
        let verified = match self {
            Self::Iff(parameters) => {
                IffAnswer::from_der(answer).map(|answer| parameters.verify(challenge, &answer))
            }
            Self::Gq(parameters) => GqAnswer::from_der(answer)
                .zip(gq_public)
                .map(|(answer, public)| parameters.verify(challenge, &answer, public)),
            Self::Mv(parameters) => {
                MvAnswer::from_der(answer).map(|answer| parameters.verify(challenge, &answer))
            }
        };
        match verified {
            Some(Ok(true)) => Ok(()),
            _ => Err(Failure::GroupKey),
        }
    }
}
