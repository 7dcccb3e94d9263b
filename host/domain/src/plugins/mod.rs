//! Plugins: what is installed on the host, what each tenant has enabled, and the ports through which the domain
//! calls components. The runtime behind the ports is `host/plugins`.

pub mod port;
