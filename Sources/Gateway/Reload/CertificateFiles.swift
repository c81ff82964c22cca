import HTTPServer
import Logging

/// Shows the certificate that its file has now, when that changes: those who renew certificates need tell nobody.
///
/// Files that cannot be read, or do not go together, change nothing: what was shown before is shown still, and the log says why.
struct CertificateFiles: Sendable {
  let tls: Configuration.TLS
  let identity: TLSIdentity
  let logger: Logger

  /// Looks at the files each `http.tls.refresh` until the task is cancelled.
  func run() async {
    // What the configuration was read from may have changed since.
    var stamps: [FileStamp?]?
    while !Task.isCancelled {
      let now = tls.files.map { FileStamp($0) }
      if stamps != now {
        stamps = now
        reread()
      }
      guard (try? await Task.sleep(for: tls.refresh)) != nil else { return }
    }
  }

  private func reread() {
    do throws(HTTPServerError) {
      // A reload may change whose client certificates count, while the files are read.
      let former = identity.credentials
      identity.replace(former, with: try tls.reread())
      logger.debug("the certificate was read", metadata: ["file": "\(tls.files[0])"])
    } catch {
      logger.warning(
        "the files of http.tls have changed and cannot be used; what was shown before is shown still",
        metadata: ["error": "\(error)"])
    }
  }
}
