import Foundation
import JWTKit

/// Makes tokens (RFC 7519) with a key of its own, sound ones and others.
public struct TokenForge: Sendable {
  private let signer: any JWTAlgorithm
  /// The public half of the key, as an element of a set.
  public let key: String
  public let id: String

  /// With a fresh key of the curve P-256.
  public init(id: String = "k1") async throws {
    let fresh = ES256PrivateKey()
    let keys = JWTKeyCollection()
    await keys.add(ecdsa: fresh, kid: "k")
    signer = try await keys.getKey(for: "k")
    guard let (x, y) = fresh.publicKey.parameters else { throw NoPoint() }
    self.id = id
    key = #"{"kty":"EC","crv":"P-256","kid":"\#(id)","x":"\#(Self.url(x))","y":"\#(Self.url(y))"}"#
  }

  private struct NoPoint: Error {}

  /// A set with the keys of these.
  public static func set(_ forges: TokenForge...) -> String {
    #"{"keys":[\#(forges.map(\.key).joined(separator: ","))]}"#
  }

  /// A token with these claims, an object of JSON, signed by ES256 whatever its header says.
  public func token(_ claims: String, header: String? = nil) throws -> String {
    let text = "\(Self.text(header ?? #"{"alg":"ES256","typ":"JWT","kid":"\#(id)"}"#)).\(Self.text(claims))"
    return "\(text).\(Self.url(Data(try signer.sign(Data(text.utf8))).base64EncodedString()))"
  }

  /// One for a caller of the usual issuer and audience, which ends in so many seconds.
  public func token(
    of subject: String, scope: String = "", in seconds: Double = 600, issuer: String = "https://id.example",
    audience: String = #""gateway""#
  ) throws -> String {
    let end = Date().timeIntervalSince1970 + seconds
    return try token(
      #"{"iss":"\#(issuer)","aud":\#(audience),"sub":"\#(subject)","scope":"\#(scope)","exp":\#(end)}"#)
  }

  /// In Base64 of URLs.
  public static func text(_ text: String) -> String { url(Data(text.utf8).base64EncodedString()) }

  private static func url(_ base64: String) -> String {
    base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}
