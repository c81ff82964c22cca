import CGnuTLS
import Glibc

/// What a server shows of itself over TLS, and whose certificates it takes: a value that does not change, for any number of servers.
///
/// Spoken are TLS 1.2 and 1.3, with keys that are used once (ECDHE) and ciphers that authenticate (AES-GCM, ChaCha20-Poly1305).
public final class TLSCredentials: Sendable {
  // Safe: GnuTLS only reads it once it is made, and sessions hold this object.
  private nonisolated(unsafe) let raw: OpaquePointer
  /// From whom it takes certificates; nil: from nobody, and it asks for none.
  public let clients: ClientAuthorities?
  /// When its own certificate ends, in seconds since 1970.
  public let end: Int64

  /// Of texts in PEM: the certificate, with those between it and its authority behind it, and its key. Throws when they do not go
  /// together, or cannot be read.
  public init(certificate: String, key: String, clients: ClientAuthorities? = nil) throws(HTTPServerError) {
    let asks = clients.map { $0.areRequired ? CGNUTLS_REQUIRES : CGNUTLS_ASKS } ?? CGNUTLS_ASKS_NONE
    var (certificate, key, authorities) = (certificate, key, clients?.certificates ?? "")
    var reason = [CChar](repeating: 0, count: 256)
    let made = certificate.withUTF8 { certificate in
      key.withUTF8 { key in
        authorities.withUTF8 { authorities in
          cgnutls_identity_make(
            certificate.baseAddress, certificate.count, key.baseAddress, key.count, authorities.baseAddress,
            authorities.count, CInt(asks), &reason, reason.count)
        }
      }
    }
    guard let made else { throw HTTPServerError(call: "TLS", message: text(of: reason)) }
    raw = made
    self.clients = clients
    end = cgnutls_identity_end(made)
  }

  deinit { cgnutls_identity_free(raw) }

  /// A session over that socket, which does not block; nil when there is no memory.
  func open(_ descriptor: CInt) -> TLSSession? { cgnutls_open(raw, descriptor).map { TLSSession($0, of: self) } }
}

/// From whom a server takes the certificates of clients, and what these are called by.
public struct ClientAuthorities: Hashable, Sendable {
  /// What of a certificate is the name of its client: the first of that kind.
  public enum Name: String, CaseIterable, Hashable, Sendable {
    /// The common name of the subject.
    case commonName = "common-name"
    /// A DNS name among its alternative names.
    case dns
    /// An address of mail there.
    case email
    /// A URI there.
    case uri

    fileprivate var raw: CInt {
      switch self {
      case .commonName: CInt(CGNUTLS_COMMON_NAME)
      case .dns: CInt(CGNUTLS_DNS)
      case .email: CInt(CGNUTLS_EMAIL)
      case .uri: CInt(CGNUTLS_URI)
      }
    }
  }

  /// Their own certificates, in PEM.
  public var certificates: String
  /// Whether a client without a certificate is refused in the handshake.
  public var areRequired: Bool
  /// What of a certificate names its client.
  public var name: Name

  /// Authorities whose clients are known by their common names, and need no certificate, by default.
  public init(certificates: String, areRequired: Bool = false, name: Name = .commonName) {
    (self.certificates, self.areRequired, self.name) = (certificates, areRequired, name)
  }
}

/// The certificate of a client, which was found good when the connection was opened: of an authority that was trusted, for clients, and in
/// its time.
public final class ClientCertificate: Sendable {
  /// Who the client is: 1 to 255 characters of ASCII without controls; nil when the certificate has no such name.
  public let subject: String?
  /// When it ends, in seconds since 1970.
  public let end: Double
  /// Who was trusted then.
  public let authorities: ClientAuthorities

  init(subject: String?, end: Double, authorities: ClientAuthorities) {
    (self.subject, self.end, self.authorities) = (subject, end, authorities)
  }
}

/// One session of a server. Its owner closes the socket after it is gone.
struct TLSSession: ~Copyable {
  /// How far something has come.
  enum Progress: Hashable {
    case done
    /// The socket has nothing, or no room.
    case waits
    case broken
  }

  enum Received: Hashable {
    case bytes(Int)
    case end
    case waits
    case broken
  }

  // Safe: an owner on one thread has it.
  private let raw: OpaquePointer
  private let credentials: TLSCredentials

  fileprivate init(_ raw: OpaquePointer, of credentials: TLSCredentials) {
    (self.raw, self.credentials) = (raw, credentials)
  }

  deinit { cgnutls_close(raw) }

  /// Goes on with the handshake. When it breaks, the client has been told why.
  func shakeHands() -> Progress { progress(cgnutls_handshake(raw)) }

  func receive(into room: UnsafeMutableRawBufferPointer) -> Received {
    let count = cgnutls_receive(raw, room.baseAddress, room.count)
    if count > 0 { return .bytes(count) }
    return count == 0 ? .end : count == CGNUTLS_WAIT ? .waits : .broken
  }

  /// The most bytes that are sent at once.
  var recordSize: Int { cgnutls_record(raw) }

  /// Sends at most `recordSize` bytes. When it waits it has taken all of them, and `flush` goes on.
  func send(_ bytes: UnsafeRawBufferPointer) -> Progress {
    let count = cgnutls_send(raw, bytes.baseAddress, bytes.count)
    return count >= 0 ? .done : count == CGNUTLS_WAIT ? .waits : .broken
  }

  func flush() -> Progress { progress(cgnutls_flush(raw)) }

  /// Says that nothing more is sent.
  func end() -> Progress { progress(cgnutls_bye(raw)) }

  /// Why it is broken.
  var fault: String {
    var reason = [CChar](repeating: 0, count: 256)
    cgnutls_reason(raw, &reason, reason.count)
    return text(of: reason)
  }

  /// What the client has shown; nil when it has shown nothing.
  var clientCertificate: ClientCertificate? {
    guard let clients = credentials.clients else { return nil }
    var name = [UInt8](repeating: 0, count: 512)
    var (length, end): (Int, Int64) = (name.count, 0)
    let isThere = name.withUnsafeMutableBytes { room in
      room.withMemoryRebound(to: CChar.self) {
        cgnutls_client(raw, clients.name.raw, $0.baseAddress, &length, &end)
      }
    }
    guard isThere != 0 else { return nil }
    let bytes = name[..<min(length, name.count)]
    // What is no plain text might look like another name where it is shown.
    let isName = 1...255 ~= bytes.count && bytes.allSatisfy { 0x20...0x7E ~= $0 }
    return ClientCertificate(
      subject: isName ? String(decoding: bytes, as: UTF8.self) : nil, end: Double(end), authorities: clients)
  }

  private func progress(_ code: CInt) -> Progress {
    code == 0 ? .done : code == CInt(CGNUTLS_WAIT) ? .waits : .broken
  }
}

private func text(of reason: [CChar]) -> String {
  String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
