import ConfigurationReader
public import HTTPServer
import Reactor

extension Configuration {
  /// What is shown over TLS, and whose certificates count: `http.tls`. The files were read with the configuration.
  public struct TLS: Sendable, Hashable {
    /// Whether a client needs a certificate, where `client-ca` says whose count.
    public enum Need: String, CaseIterable, Hashable, Sendable {
      /// It may have one: what it may do without, `auth` says.
      case optional
      /// Without one, or with a bad one, it is refused in the handshake.
      case required
    }

    private let certificateFile: String
    private let keyFile: String
    /// Texts of files, in PEM.
    private var certificate = ""
    private var key = ""
    /// Whose certificates count; nil: clients are asked for none (default).
    public private(set) var authorities: ClientAuthorities?
    /// How often the files are looked at, 100 ms to 1 h (default: 5 s).
    public var refresh: Duration = .seconds(5)

    /// The files that are looked at.
    var files: [String] { [certificateFile, keyFile] }

    /// Reads the section and its files; nil when they cannot be used, which was reported. Paths are those of the folder of the
    /// configuration.
    init?(_ section: Section, in folder: String) {
      func path(_ key: String) -> (Field, String)? {
        section.field(key).flatMap { field in
          field.text("the path of a file").map { (field, $0.hasPrefix("/") ? $0 : folder + $0) }
        }
      }
      func text(_ key: String, isSecret: Bool = false) -> (path: String, text: String)? {
        guard let (field, path) = path(key) else { return nil }
        do throws(TextFile.Unreadable) {
          return (path, try isSecret ? TextFile.readSecret(path) : TextFile.read(path))
        } catch {
          field.report("\(path) \(error.reason)")
          return nil
        }
      }
      defer { section.finish() }
      for key in ["certificate", "key"] where !section.has(key) {
        section.report("has no \(key): name a file in PEM")
      }
      section.read("refresh", into: &refresh) { $0.duration(in: .milliseconds(100) ... .hours(1)) }
      let (certificate, key) = (text("certificate"), text("key", isSecret: true))
      var (need, name) = (Need.optional, ClientAuthorities.Name.commonName)
      section.read("client-certificate", into: &need) { $0.choice() }
      section.read("client-subject", into: &name) { $0.choice() }
      if let file = text("client-ca") {
        authorities = ClientAuthorities(certificates: file.text, areRequired: need == .required, name: name)
      } else if !section.has("client-ca") {
        for key in ["client-certificate", "client-subject"] where section.has(key) {
          section.report("has no effect without client-ca, which names those whose certificates count", at: key)
        }
      }
      guard let certificate, let key else { return nil }
      (certificateFile, keyFile) = (certificate.path, key.path)
      (self.certificate, self.key) = (certificate.text, key.text)
      do throws(HTTPServerError) {
        _ = try credentials()
      } catch {
        section.report(error.message)
        return nil
      }
    }

    /// What servers show.
    func credentials() throws(HTTPServerError) -> TLSCredentials {
      try TLSCredentials(certificate: certificate, key: key, clients: authorities)
    }

    /// The same with what the files of certificate and key say now.
    func reread() throws(HTTPServerError) -> TLSCredentials {
      var next = self
      do throws(TextFile.Unreadable) { next.certificate = try TextFile.read(certificateFile) } catch {
        throw HTTPServerError(call: certificateFile, message: error.reason)
      }
      do throws(TextFile.Unreadable) { next.key = try TextFile.readSecret(keyFile) } catch {
        throw HTTPServerError(call: keyFile, message: error.reason)
      }
      return try next.credentials()
    }
  }
}
