//! `hwtimestamp` lines to what the engine asks of interfaces.
use truechimer_config::settings::{Settings, StampFilter};
use truechimer_engine::HardwareStamping;
use truechimer_sys::hardware::ReceiveFilter;
use truechimer_time::NtpDuration;

/// Which interfaces are to stamp.
pub fn stamping(settings: &Settings) -> Vec<HardwareStamping> {
    let lines = settings.machine.hardware_stamping.iter();
    let one = |said: &truechimer_config::settings::HardwareStamping| HardwareStamping {
        interface: said.interface.clone(),
        filter: match said.filter {
            StampFilter::All => ReceiveFilter::All,
            StampFilter::Ntp => ReceiveFilter::Ntp,
            StampFilter::Ptp => ReceiveFilter::Ptp,
            StampFilter::None => ReceiveFilter::None,
        },
        receive_correction: NtpDuration::from_seconds(said.receive_correction_s),
        transmit_correction: NtpDuration::from_seconds(said.transmit_correction_s),
    };
    lines.map(one).collect()
}
