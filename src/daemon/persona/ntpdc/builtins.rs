//! Commands about the program itself that ntpdc has its own way.
use super::super::dialogue::{Program, Screen, Value};
use super::state::Ntpdc;

pub(super) fn keyid(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    match (values.is_empty(), ntpdc.common.secrets.key_id) {
        (true, 0) if ntpdc.keyless => screen.say("no keyid will be sent\n"),
        (true, 0) => screen.say("no keyid defined\n"),
        (true, id) => screen.say(&format!("keyid is {id}\n")),
        (false, _) => {
            ntpdc.common.secrets.key_id = Value::number(values, 0);
            ntpdc.keyless = ntpdc.common.secrets.key_id == 0;
            ntpdc.tune();
        }
    }
}
