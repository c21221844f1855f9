"""An annex as a package for its client: documents, the contract cut to it, sample requests, programs to send them."""
