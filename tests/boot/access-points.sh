#!/bin/sh
# The second simulated radio becomes one access point after the other, in a namespace of its own: each stays until the
# card has joined it and has an address of its network. Each is one that the card prefers to the one before, so that what it
# remembers of that one does not keep it. Then the failed units are told, and what else there is to see.
set -u
export LD_LIBRARY_PATH=/opt/ap/lib

while ! [ -e /sys/class/net/wlan1 ]; do sleep 0.2; done
ip netns add ap
iw phy "$(cat /sys/class/net/wlan1/phy80211/name)" set netns name ap
ip -n ap link set lo up

network=70
for name in hidden open wpa3 wpa2; do
    network=$((network + 1))
    ip -n ap link set wlan1 down
    ip -n ap link set wlan1 address "02:00:00:00:$network:00"
    ip -n ap address flush dev wlan1
    ip -n ap address add "192.168.$network.1/24" dev wlan1
    ip -n ap link set wlan1 up
    ip netns exec ap /opt/ap/bin/hostapd "/opt/ap/$name.conf" &
    hostapd=$!
    ip netns exec ap /opt/ap/bin/dnsmasq --keep-in-foreground --port=0 --interface=wlan1 --bind-interfaces \
        --dhcp-range="192.168.$network.10,192.168.$network.99" --dhcp-leasefile=/run/ap.leases --user=root \
        --conf-file=/dev/null &
    dnsmasq=$!
    until iw dev wlan0 link | grep -qxF "	SSID: $name" && ip -4 address show dev wlan0 | grep -q "192.168.$network."; do
        sleep 1
    done
    echo "PROOF joined $name"
    kill "$hostapd" "$dnsmasq"
    wait "$hostapd" "$dnsmasq"
    rm -f /run/ap.leases
done

while ! systemctl is-active --quiet imgbuild-agent.service; do sleep 1; done
systemctl --failed --plain --no-legend | sed 's/^/PROOF failed unit /'
sed 's/^/PROOF resolv.conf /' /etc/resolv.conf
grep -h . /etc/passwd | sed -n 's/^ada:/PROOF account ada:/p'
echo "PROOF all joined"
