//! The parts of intake's MAIT that know nothing of the service.

#[path = "../../../../services/intake/src/mait/document.rs"]
pub mod document;
#[path = "../../../../services/intake/src/mait/flaw.rs"]
pub mod flaw;
#[path = "../../../../services/intake/src/mait/read.rs"]
pub mod read;
#[path = "../../../../services/intake/src/mait/schema.rs"]
pub mod schema;
#[path = "../../../../services/intake/src/mait/shape.rs"]
pub mod shape;
#[path = "../../../../services/intake/src/mait/write.rs"]
pub mod write;
