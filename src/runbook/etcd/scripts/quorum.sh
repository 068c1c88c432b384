# Whether a quorum would be left with so many voters and so many alive more or fewer.
quorum=$(etcd_quorum "$ETCD_URL")
voters=$((${quorum% *} + $MORE_VOTERS)) alive=$((${quorum#* } + $MORE_ALIVE))
needed=$((voters / 2 + 1))
if [ $voters -lt 1 ] || [ $alive -lt $needed ]; then echo "$voters with a vote, $alive alive, $needed needed: no quorum would be left"; false; fi
