/// The documents measured: a lone digit, a tiny call, a call of 59 bytes, a record of about 900 and a list of about
/// 95,000 bytes.
enum Documents {
  static let call = #"{"args":[12345,"hello world",3.25],"kwargs":{"flag":true}} "#

  static func record(_ number: Int) -> String {
    #"""
    {"id":\#(100_000 + number),"uuid":"7c9e6679-7425-40de-944b-e07fc1f9\#(1000 + number)","active":\#(number % 2 == 0),
    "name":"Jürgen \"\#(number)\" Müller","email":"user\#(number)@example.com","balance":\#(number * 37).25,
    "score":0.\#(73_914_628_501 + number),"tags":["alpha","beta","gamma","delta"],"parent":null,"retries":-3,
    "position":{"lat":48.85\#(number % 10)6,"lon":2.3522,"accuracy":5},
    "history":[{"at":1700000000,"event":"created","by":"system"},{"at":1700003600,"event":"updated","by":"admin"},
    {"at":1700007200,"event":"archived","by":"user\#(number)"}],
    "address":{"street":"12 Rue de l'Exemple","city":"Paris","zip":"75001","country":"FR"},
    "notes":"A longer run of plain text, as comments and descriptions have it, without anything to escape in it.",
    "matrix":[[1,2,3],[4,5,6],[7,8,9]],"limits":{"min":0,"max":65535,"step":128},
    "labels":{"environment":"production","region":"eu-west-3","team":"payments"},"checksum":"9f86d081884c7d65","version":"2.14.0","size":18446744073}
    """#.split(separator: "\n").joined()
  }

  static let list = "[" + (0..<105).map(record).joined(separator: ",") + "]"

  static var all: [(name: String, json: String)] {
    [("05 <-> 5", "5"), ("[2,3]", "[2,3]"), ("call", call), ("record", record(7)), ("list", list)]
  }
}
