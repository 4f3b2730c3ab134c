#!/bin/sh
# The second simulated radio becomes one access point after the other, in a namespace of its own: each stays until the
# card has joined it and has an address of its network. Each is one that the card prefers to the one before, so that what it
# remembers of that one does not keep it. Then the last one has another passphrase for a while. At the end the failed units
# are told, and what else there is to see.
set -u
export LD_LIBRARY_PATH=/opt/ap/lib

while ! [ -e /sys/class/net/wlan1 ]; do sleep 0.2; done
ip netns add ap
iw phy "$(cat /sys/class/net/wlan1/phy80211/name)" set netns name ap
ip -n ap link set lo up

network=70

# An access point with the settings $1, on a network of its own.
begin() {
    network=$((network + 1))
    ip -n ap link set wlan1 down
    ip -n ap link set wlan1 address "02:00:00:00:$network:00"
    ip -n ap address flush dev wlan1
    ip -n ap address add "192.168.$network.1/24" dev wlan1
    ip -n ap link set wlan1 up
    ip netns exec ap /opt/ap/bin/hostapd "/opt/ap/$1.conf" &
    hostapd=$!
    ip netns exec ap /opt/ap/bin/dnsmasq --keep-in-foreground --port=0 --interface=wlan1 --bind-interfaces \
        --dhcp-range="192.168.$network.10,192.168.$network.99" --dhcp-leasefile=/run/ap.leases --user=root \
        --conf-file=/dev/null &
    dnsmasq=$!
}

end() {
    kill "$hostapd" "$dnsmasq"
    wait "$hostapd" "$dnsmasq"
    rm -f /run/ap.leases
}

# The access point $1 stays until the card has joined it.
join() {
    begin "$1"
    until iw dev wlan0 link | grep -qxF "	SSID: $1" && ip -4 address show dev wlan0 | grep -q "192.168.$network."; do
        sleep 1
    done
    end
}

for name in hidden open wpa3 wpa2; do
    join "$name"
    echo "PROOF joined $name"
done

# one that has the name of the last one and another passphrase, until the card takes its own for wrong: NetworkManager
# gives it up then
if systemctl is-active --quiet NetworkManager.service; then wrong=no-secrets; else wrong=reason=WRONG_KEY; fi
since=$(journalctl --boot --lines=0 --show-cursor | sed -n 's/^-- cursor: //p')
begin stranger
until journalctl --boot --after-cursor="$since" | grep -q "$wrong"; do sleep 1; done
echo "PROOF took its passphrase for wrong"
end
join wpa2
echo "PROOF joined wpa2 again"

while ! systemctl is-active --quiet imgbuild-agent.service; do sleep 1; done
if ! [ -e /etc/cloud/cloud-init.disabled ]; then
    cloud-init status --wait --long | sed 's/^/PROOF cloud-init /'
    cloud-init schema --system 2>&1 | sed 's/^/PROOF cloud-init /'
fi
systemctl --failed --plain --no-legend | sed 's/^/PROOF failed unit /'
sed 's/^/PROOF resolv.conf /' /etc/resolv.conf
grep -h . /etc/passwd | sed -n 's/^ada:/PROOF account ada:/p'
echo "PROOF groups $(id -nG ada)"
echo "PROOF system $(hostname) $(getent hosts greenhouse | cut -d ' ' -f 1) $(date +%Z) $(. /etc/default/locale; echo "$LANG")" \
    "$(. /etc/default/keyboard; echo "$XKBLAYOUT")"
echo "PROOF all joined"
