import ConfigurationReader
public import ZeroMQ

extension Configuration {
  /// How the sockets of a service are kept from being read and impersonated: `curve`. The backends are servers of CURVE.
  public struct Curve: Sendable, Hashable {
    /// The public key of the backends.
    public var serverKey: CurvePublicKey
    /// The gateway's own keys, by which backends may know it.
    public var own: CurveKeyPair

    /// Keys of both sides.
    public init(serverKey: CurvePublicKey, own: CurveKeyPair) { (self.serverKey, self.own) = (serverKey, own) }

    /// What sockets are told.
    var security: SocketSecurity { .curve(own, server: serverKey) }

    /// Reads both keys; nil when one cannot be used, which was reported. Paths are those of the folder of the configuration.
    init?(_ section: Section, in folder: String) {
      defer { section.finish() }
      for key in ["server-key", "secret-key"] where !section.has(key) {
        section.report("has no \(key); zmq-gateway keygen curve makes a pair of keys")
      }
      let server = section.field("server-key").flatMap { field in
        // A key may hold dollars, which stand for themselves in it: it is read as it is written, before variables are.
        if let key = field.written.flatMap({ try? CurvePublicKey($0) }) { return key }
        return field.secret(in: folder, isPrivate: false).flatMap { text in
          field.checked { () throws(CurveKeyError) in try CurvePublicKey(text) }
        }
      }
      let own = section.field("secret-key").flatMap { field -> CurveKeyPair? in
        guard let text = field.secret(in: folder, isPrivate: true),
          let secret = field.checked({ () throws(CurveKeyError) in try CurveSecretKey(text) })
        else { return nil }
        return field.checked { () throws(ZMQError) in try CurveKeyPair(secret) }
      }
      guard let server, let own else { return nil }
      self.init(serverKey: server, own: own)
    }
  }
}

extension Field {
  /// What stands in the file that `file:` names, without the blanks around it; reports what is wrong with it. A text without `file:` stands
  /// for itself, unless it is private: a configuration is read by more people than may know a secret.
  fileprivate func secret(in folder: String, isPrivate: Bool) -> String? {
    guard let text = text("file: and the path of a file") else { return nil }
    guard text.hasPrefix("file:") else {
      if !isPrivate { return text }
      report("is a secret; put it into a file of its own, and write file: and its path")
      return nil
    }
    let path = String(text.dropFirst("file:".count))
    let place = path.hasPrefix("/") ? path : folder + path
    do throws(TextFile.Unreadable) {
      let text = try isPrivate ? TextFile.readSecret(place) : TextFile.read(place)
      return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    } catch {
      report("\(place) \(error.reason)")
      return nil
    }
  }

  /// What the body makes; reports its error.
  fileprivate func checked<Value, Failure: Error & CustomStringConvertible>(_ make: () throws(Failure) -> Value)
    -> Value?
  {
    do throws(Failure) {
      return try make()
    } catch {
      report(error.description)
      return nil
    }
  }
}
