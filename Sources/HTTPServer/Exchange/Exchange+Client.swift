extension Exchange {
  /// The client's address.
  public var clientAddress: ClientAddress { admission.address }

  /// The certificate that the client has shown over TLS, which was found good; nil when it has shown none.
  public var clientCertificate: ClientCertificate? { admission.certificate }

  /// Whether the server listens at a Unix socket, which no page of a browser reaches.
  public var isServerUnixSocket: Bool { listenAddress.isUnixSocket }
}
