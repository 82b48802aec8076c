//! Writing variables: only those that `setvar` made can take a value.
use super::super::System;
use super::{Asked, Outcome};
use crate::control::is_known;
use truechimer_wire::{ControlError, ControlItems};

/// Octets of a value, at most, as in the reference.
const VALUE_LEN_MAX: usize = 127;

impl System {
    pub(super) fn write_variables(&mut self, asked: &Asked<'_>) -> Result<(u16, Vec<u8>), Outcome> {
        let refuse = |error| Err(Outcome::Refused(error));
        if asked.header.association != 0 {
            return refuse(ControlError::Permission);
        }
        for item in ControlItems::new(asked.data) {
            let value = item.value.unwrap_or_default();
            if value.len() > VALUE_LEN_MAX {
                return refuse(ControlError::BadFormat);
            }
            let mut extra = self.config.control.variables.iter_mut();
            if let Some(variable) = extra.find(|it| it.name == item.name) {
                variable.value = if item.quoted {
                    format!("\"{value}\"")
                } else {
                    value.to_owned()
                };
            } else if item.name == "leap" {
                // The reference lets the key through and then does nothing with the value.
                return refuse(match value.parse::<u8>() {
                    Ok(0..=3) => ControlError::Unspecified,
                    Ok(_) => ControlError::BadValue,
                    Err(_) => ControlError::BadFormat,
                });
            } else if is_known(item.name) {
                return refuse(ControlError::Permission);
            } else {
                return refuse(ControlError::UnknownVariable);
            }
        }
        Ok((self.status_word().word(), Vec::new()))
    }
}
