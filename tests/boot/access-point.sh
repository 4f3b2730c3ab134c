#!/bin/sh
# The second simulated radio becomes an access point in a namespace of its own. First with the passphrase
# that the card has, until the card has joined; then with another.
set -u
export LD_LIBRARY_PATH=/opt/ap/lib

while ! [ -e /sys/class/net/wlan1 ]; do sleep 0.2; done
ip netns add ap
iw phy "$(cat /sys/class/net/wlan1/phy80211/name)" set netns name ap
ip -n ap link set lo up
ip -n ap address add 192.168.73.1/24 dev wlan1
ip -n ap link set wlan1 up

ip netns exec ap /opt/ap/bin/hostapd /opt/ap/right.conf &
hostapd=$!
ip netns exec ap /opt/ap/bin/dnsmasq --keep-in-foreground --port=0 --interface=wlan1 --bind-interfaces \
    --dhcp-range=192.168.73.10,192.168.73.99 --dhcp-leasefile=/run/ap.leases --user=root --conf-file=/dev/null &

while ! wpa_cli -i wlan0 status | grep -q '^ip_address='; do sleep 1; done
wpa_cli -i wlan0 status | sed 's/^/PROOF status /'

# what the card came to: before the access point breaks anything
while ! systemctl is-active --quiet imgbuild-agent.service; do sleep 1; done
systemctl --failed --plain --no-legend | sed 's/^/PROOF failed unit /'
sleep 5
grep VmRSS "/proc/$(systemctl show --property MainPID --value imgbuild-agent.service)/status" | sed 's/^/PROOF agent /'

kill "$hostapd"
wait "$hostapd"
ip address flush dev wlan0
echo "PROOF another passphrase"
exec ip netns exec ap /opt/ap/bin/hostapd /opt/ap/wrong.conf
