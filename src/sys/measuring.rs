//! What measurements ask the kernel for: requests from many addresses at once, and how many
//! instructions a thread executes.
mod instructions;
mod volley;

pub use instructions::InstructionCounter;
pub use volley::Volley;
