//! The policy that lets a thing do what its card makes it do at AWS IoT, and no more (AWS IoT Core developer guide,
//! "AWS IoT Core policies").

use anyhow::bail;
use imgbuild_schema::DeviceSpec;
use imgbuild_schema::card::{AwsIot, Cloud};
use serde_json::{Value, json};

use crate::fault::Usage;

/// The longest policy document, without white space (AWS General Reference, "AWS IoT Core endpoints and quotas").
const MOST_BYTES: usize = 2048;

/// The policy document for a device and the account it is in.
///
/// # Errors
///
/// The device does not use AWS IoT, its endpoint names no region, or there is more to allow than a document takes.
pub fn document(spec: &DeviceSpec, account: &str) -> anyhow::Result<Value> {
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!(Usage(format!("`{account}` is no account of AWS: it has 12 digits")));
    }
    let Cloud::AwsIot(aws) = &spec.card.cloud else {
        let cloud = spec.card.cloud.access().cloud;
        bail!("policies are for AWS IoT, and this profile publishes to {cloud}");
    };
    let place = Place::of(aws, account)?;
    let is_pattern = |topic: &str| topic.contains(['*', '?']) || topic.contains("${");
    if let Some(sensor) = spec.card.sensors.iter().find(|it| is_pattern(it.topic.as_str())) {
        bail!("the topic `{}` would be a pattern in a policy, and allow more", sensor.topic);
    }
    let sensors: Vec<String> =
        spec.card.sensors.iter().map(|sensor| sensor.topic.to_string()).collect();
    let exact = aws.shadow.as_ref().map_or_else(Default::default, |shadow| {
        (shadow.asked(&aws.thing), shadow.heard(&aws.thing))
    });
    // each topic by its name if there is room, and else the thing's own shadow as a whole
    let whole = aws.shadow.as_ref().map_or_else(Default::default, |shadow| {
        let own = vec![shadow.prefix(&aws.thing) + "*"];
        (own.clone(), own)
    });
    let documents =
        [exact, whole].map(|(asked, heard)| place.document(aws, &sensors, &asked, &heard));
    let Some(document) = documents.iter().find(|it| it.to_string().len() <= MOST_BYTES) else {
        bail!(
            "the policy has {} bytes, and AWS takes {MOST_BYTES}: it names the topic of each sensor; \
             shorter topics, or fewer sensors in a thing, make it fit",
            documents[1].to_string().len()
        );
    };
    Ok(document.clone())
}

fn allow(action: &str, resources: &[String]) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resources })
}

/// Where an account's things are.
struct Place {
    arn: String,
}

impl Place {
    /// The endpoint says the region: `….iot.eu-west-1.amazonaws.com`.
    fn of(aws: &AwsIot, account: &str) -> anyhow::Result<Self> {
        let region = aws.endpoint.split('.').skip_while(|label| *label != "iot").nth(1);
        let Some(region) = region else {
            bail!("the endpoint {} names no region: …-ats.iot.REGION.amazonaws.com", aws.endpoint);
        };
        let partition = match region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        Ok(Self { arn: format!("arn:{partition}:iot:{region}:{account}:") })
    }

    fn document(
        &self,
        aws: &AwsIot,
        sensors: &[String],
        asked: &[String],
        heard: &[String],
    ) -> Value {
        let client = std::slice::from_ref(&aws.thing);
        let mut statements = vec![
            allow("iot:Connect", &self.resources("client", client)),
            allow("iot:Publish", &self.resources("topic", &[sensors, asked].concat())),
        ];
        if !heard.is_empty() {
            statements.push(allow("iot:Subscribe", &self.resources("topicfilter", heard)));
            statements.push(allow("iot:Receive", &self.resources("topic", heard)));
        }
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    fn resources(&self, kind: &str, names: &[String]) -> Vec<String> {
        names.iter().map(|name| format!("{}{kind}/{name}", self.arn)).collect()
    }
}
