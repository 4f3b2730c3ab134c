//! What is asked about each cloud: the keys without which it cannot be reached, and a few more for flags.

/// A cloud that readings go to.
#[derive(Debug)]
pub(super) struct Cloud {
    /// As a profile names it.
    pub(super) name: &'static str,
    /// As people do.
    pub(super) title: &'static str,
    /// What is asked, in the order in which it is written.
    pub(super) steps: &'static [Step],
}

/// One thing to know about a cloud.
#[derive(Debug)]
pub(super) enum Step {
    /// A value.
    Ask(Field),
    /// One of several ways, each of which takes values of its own.
    Choose(&'static str, &'static [Way]),
}

/// One of several ways.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) title: &'static str,
    pub(super) fields: &'static [Field],
}

/// A key of a cloud.
#[derive(Debug)]
pub(super) struct Field {
    /// As `--set` knows it.
    pub(super) key: &'static str,
    /// Where it stands below the cloud.
    pub(super) path: &'static str,
    /// What it is.
    pub(super) question: &'static str,
    pub(super) kind: Kind,
    pub(super) need: Need,
}

/// How a value is asked for and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it is.
    Text,
    /// Without quotes.
    Number,
    /// The path of a file beside the profile, with one to offer; `{id}` is the device's.
    File(&'static str),
    /// Not shown, and kept beside the profile.
    Secret,
    /// Nothing else, and so not asked.
    Fixed(&'static str),
}

/// Whether a value must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    /// Asked, and may be left out.
    Optional,
    /// For those who ask for it with `--set`.
    Unasked,
}

const CERTIFICATE: Kind = Kind::File("certs/{id}.pem");
const PRIVATE_KEY: Kind = Kind::File("certs/{id}.key");
const AUTHORITY: Kind = Kind::File("certs/ca.pem");

use Kind::{Fixed, Number, Secret, Text};
use Need::{Optional, Required, Unasked};
use Step::{Ask, Choose};

const fn field(
    key: &'static str,
    path: &'static str,
    question: &'static str,
    kind: Kind,
    need: Need,
) -> Field {
    Field { key, path, question, kind, need }
}

/// A key that stands directly below its cloud.
const fn plain(key: &'static str, question: &'static str, kind: Kind, need: Need) -> Field {
    field(key, key, question, kind, need)
}

/// The device's certificate, at this path of keys.
const fn certificate(path: &'static str) -> Field {
    field("certificate", path, "the device's certificate", CERTIFICATE, Required)
}

/// The key of the device's certificate, at this path of keys.
const fn private_key(path: &'static str) -> Field {
    field("private_key", path, "the private key of it", PRIVATE_KEY, Required)
}

/// Every cloud.
pub(super) const CLOUDS: [Cloud; 6] = [
    Cloud {
        name: "mqtt",
        title: "any MQTT broker",
        steps: &[
            Ask(plain("host", "the broker's name, which its certificate bears", Text, Required)),
            Ask(plain("port", "the broker's port", Number, Unasked)),
            Choose(
                "How is the connection secured?",
                &[
                    Way { title: "TLS, and an authority that browsers trust", fields: &[] },
                    Way { title: "TLS, and an authority of your own", fields: &[TLS_AUTHORITY] },
                    Way {
                        title: "TLS, and the device has a certificate of its own",
                        fields: &[
                            field("ca", "tls.ca", TLS_AUTHORITY.question, AUTHORITY, Optional),
                            certificate("tls.certificate"),
                            field(
                                "private_key",
                                "tls.private_key",
                                "the private key of it",
                                PRIVATE_KEY,
                                Required,
                            ),
                        ],
                    },
                    Way {
                        title: "not at all",
                        fields: &[plain("tls", "no TLS", Fixed("false"), Required)],
                    },
                ],
            ),
            Choose(
                "Does the device log in with a password?",
                &[
                    Way { title: "no", fields: &[] },
                    Way {
                        title: "yes",
                        fields: &[
                            plain("username", "the user's name at the broker", Text, Required),
                            plain("password", "that user's password", Secret, Required),
                        ],
                    },
                ],
            ),
            Ask(plain("client_id", "the MQTT client id", Text, Unasked)),
        ],
    },
    Cloud {
        name: "aws-iot",
        title: "AWS IoT Core",
        steps: &[
            Ask(plain(
                "endpoint",
                "the endpoint, from `aws iot describe-endpoint --endpoint-type iot:Data-ATS`",
                Text,
                Required,
            )),
            Ask(plain("port", "the port, 8883 or 443", Number, Unasked)),
            Ask(plain("thing", "the thing's name", Text, Unasked)),
            Ask(certificate("certificate")),
            Ask(private_key("private_key")),
        ],
    },
    Cloud {
        name: "azure-iot-hub",
        title: "Azure IoT Hub",
        steps: &[
            Choose(
                "Which hub?",
                &[
                    Way {
                        title: "one that I name",
                        fields: &[plain(
                            "hub",
                            "the hub's host, as in NAME.azure-devices.net",
                            Text,
                            Required,
                        )],
                    },
                    Way {
                        title: "one that the Device Provisioning Service assigns",
                        fields: &[
                            field(
                                "id_scope",
                                "dps.id_scope",
                                "the service's ID scope, as in 0ne00000000",
                                Text,
                                Required,
                            ),
                            field(
                                "registration_id",
                                "dps.registration_id",
                                "the registration id",
                                Text,
                                Unasked,
                            ),
                        ],
                    },
                ],
            ),
            Choose(
                "How does the device prove who it is?",
                &[
                    Way {
                        title: "by a key of its own",
                        fields: &[field(
                            "key",
                            "auth.sas.key",
                            "the device's primary key",
                            Secret,
                            Required,
                        )],
                    },
                    Way {
                        title: "by the key of its enrolment group",
                        fields: &[field(
                            "group_key",
                            "auth.sas.group_key",
                            "the group's primary key",
                            Secret,
                            Required,
                        )],
                    },
                    Way {
                        title: "by a certificate",
                        fields: &[
                            certificate("auth.x509.certificate"),
                            field(
                                "private_key",
                                "auth.x509.private_key",
                                "the private key of it",
                                PRIVATE_KEY,
                                Required,
                            ),
                        ],
                    },
                ],
            ),
        ],
    },
    Cloud {
        name: "azure-event-hubs",
        title: "Azure Event Hubs",
        steps: &[
            Ask(plain(
                "namespace",
                "the namespace's host, as in NAME.servicebus.windows.net",
                Text,
                Required,
            )),
            Ask(plain("hub", "the event hub", Text, Required)),
            Ask(plain("publisher", "the publisher's name", Text, Unasked)),
            Ask(plain("policy", "the policy that may send", Text, Required)),
            Ask(plain("key", "the policy's primary key", Secret, Required)),
        ],
    },
    Cloud {
        name: "google-iot-core",
        title: "the protocol of Google Cloud IoT Core, as ClearBlade speaks it",
        steps: &[
            Ask(plain("project", "the project's id", Text, Required)),
            Ask(plain("region", "the registry's region, as in europe-west1", Text, Required)),
            Ask(plain("registry", "the registry", Text, Required)),
            Ask(plain("host", "the bridge's host", Text, Unasked)),
            Ask(plain("port", "the port, 8883 or 443", Number, Unasked)),
            Ask(plain("algorithm", "how tokens are signed, es256 or rs256", Text, Unasked)),
            Ask(plain("private_key", "the private key that signs tokens", PRIVATE_KEY, Required)),
        ],
    },
    Cloud {
        name: "google-pubsub",
        title: "Google Cloud Pub/Sub",
        steps: &[
            Ask(plain("project", "the project's id", Text, Required)),
            Ask(plain("topic", "the topic", Text, Required)),
            Ask(plain(
                "service_account",
                "the service account's key, a JSON file",
                Kind::File("certs/service-account.json"),
                Required,
            )),
        ],
    },
];

const TLS_AUTHORITY: Field = field(
    "ca",
    "tls.ca",
    "the authority that signed the broker's certificate",
    AUTHORITY,
    Required,
);

impl Cloud {
    /// Every key, in the order in which they are written; one that belongs to two ways comes twice.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.steps.iter().flat_map(|step| match step {
            Ask(field) => vec![field],
            Choose(_, ways) => ways.iter().flat_map(|way| way.fields).collect(),
        })
    }
}
