//! Bearer → account → catalogue or worker → answer.
