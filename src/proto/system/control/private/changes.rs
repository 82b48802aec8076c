//! What a private request changes: the host is asked to, in lines of configuration where there are
//! lines that say it.
use super::super::super::System;
use super::super::operations::Asker;
use super::Letter;
use crate::authentication::KeyId;
use crate::config::Family;
use crate::control::private::{self as shown, Unwritable};
use crate::control::{Relaxation, Rule, Task};
use truechimer_time::Now;
use truechimer_wire::private::{
    AddressItem, Fudge, KeyNumber, PeerChange, PrivateCode, PrivateError, PrivateMessage,
    RestrictChange, SystemFlags,
};

impl From<Unwritable> for PrivateError {
    fn from(_: Unwritable) -> Self {
        Self::NoData
    }
}

impl System {
    /// Starts what an asker who proved the request key wants changed.
    pub(super) fn change(&mut self, now: Now, letter: Letter, message: &PrivateMessage<'_>) {
        match self.task(message) {
            Ok(Some(task)) => {
                let address = letter.to;
                self.operate(address, Asker::Private(letter), task);
            }
            Ok(None) => self.acknowledge_done(now, &letter, true),
            Err(error) => self.refuse_privately(now, &letter, error),
        }
    }

    /// What the host is to do; `None` where all is already as it is wanted.
    fn task(&self, message: &PrivateMessage<'_>) -> Result<Option<Task>, PrivateError> {
        let first = || message.read::<SystemFlags>().next().unwrap_or_default();
        let keys = || message.read::<KeyNumber>();
        let lines = match message.header().code {
            PrivateCode::AddPeer => {
                let lines = message.read::<PeerChange>().map(|it| shown::peer(&it));
                join(lines)?
            }
            PrivateCode::RemovePeer => {
                let lines = message.read::<AddressItem>();
                join(lines.map(|it| self.line_of_removal(&it)))?
            }
            PrivateCode::SetFlags => shown::switches("enable", &first())?,
            PrivateCode::ClearFlags => shown::switches("disable", &first())?,
            PrivateCode::SetFudge => join(message.read::<Fudge>().map(|it| shown::fudge(&it)))?,
            PrivateCode::TrustKey => shown::keys("trustedkey", keys())?,
            PrivateCode::RequestKey => shown::keys("requestkey", keys())?,
            PrivateCode::ControlKey => shown::keys("controlkey", keys())?,
            PrivateCode::AddRestriction => return self.restrict(message),
            PrivateCode::RemoveRestriction => return self.relax(message, Relaxation::Flags),
            PrivateCode::DeleteRule => return self.relax(message, Relaxation::Whole),
            PrivateCode::DistrustKey => {
                let keys: Option<Vec<KeyId>> = keys().map(|it| KeyId::symmetric(it.0)).collect();
                return Ok(Some(Task::Distrust(keys.ok_or(PrivateError::NoData)?)));
            }
            PrivateCode::ReadKeys => return Ok(Some(Task::ReadKeys)),
            // Traps would let one request make many answers, for as long as somebody likes.
            PrivateCode::AddTrap => return Err(PrivateError::Permission),
            _ => return Err(PrivateError::NoData),
        };
        Ok(Some(Task::Configure(lines)))
    }

    /// The line that removes the association with an address, by what its own line says.
    fn line_of_removal(&self, item: &AddressItem) -> Result<String, PrivateError> {
        let address = item.address();
        let found = self.association_at(address, |it| it.role.is_configured());
        let (id, _) = found.ok_or(PrivateError::NoData)?;
        let association = self.associations.get(&id);
        let family = association.and_then(|it| it.role.line());
        let family = match family.map(|line| line.family) {
            Some(Family::V4) => "-4 ",
            Some(Family::V6) => "-6 ",
            Some(Family::Any) | None => "",
        };
        let name = association.map(crate::association::Association::name);
        Ok(format!("unpeer {family}{}", name.unwrap_or_default()))
    }

    fn restrict(&self, message: &PrivateMessage<'_>) -> Result<Option<Task>, PrivateError> {
        let rulings = self.config.access.rulings();
        let mut lines = Vec::new();
        for rule in rules(message) {
            let rule = rule?;
            let before = rule.in_force(&rulings).map(|it| it.rule.flags);
            if !before.is_some_and(|flags| flags.contains(rule.flags)) {
                lines.push(shown::restriction(&rule, &rulings));
            }
        }
        Ok((!lines.is_empty()).then(|| Task::Configure(lines.join("\n"))))
    }

    /// One rule a request, so that half of it cannot fail.
    fn relax(
        &self,
        message: &PrivateMessage<'_>,
        how: Relaxation,
    ) -> Result<Option<Task>, PrivateError> {
        let mut rules = rules(message);
        let rule = rules.next().ok_or(PrivateError::Format)??;
        if rules.next().is_some() {
            return Err(PrivateError::Format);
        }
        let rulings = self.config.access.rulings();
        rule.in_force(&rulings).ok_or(PrivateError::NoData)?;
        Ok(Some(Task::Relax(rule, how)))
    }
}

fn rules(message: &PrivateMessage<'_>) -> impl Iterator<Item = Result<Rule, PrivateError>> {
    message.items().map(|item| {
        let change = RestrictChange::of_any_release(item);
        // A format error would have ntpdc try again as its elders did.
        Rule::of(&change).ok_or(PrivateError::NoData)
    })
}

fn join<E: Into<PrivateError>>(
    lines: impl Iterator<Item = Result<String, E>>,
) -> Result<String, PrivateError> {
    let lines: Result<Vec<String>, E> = lines.collect();
    Ok(lines.map_err(Into::into)?.join("\n"))
}
